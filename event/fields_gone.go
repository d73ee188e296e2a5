package event

// never is the number of fields that no record has a value for.
const never uint16 = endFields

const gone = "Never has a value, in Falco neither. Deprecated."

// goneFields are legal in conditions and never answered: rules of old that
// name them still load, and judge as Falco's do.
var goneFields = []Field{
	{num: never, Name: "container.healthcheck", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "container.liveness_probe", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "container.readiness_probe", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.deployment.id", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.deployment.label", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.deployment.labels", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.deployment.name", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.ns.id", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.ns.label", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.ns.labels", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.rc.id", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.rc.label", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.rc.labels", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.rc.name", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.rs.id", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.rs.label", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.rs.labels", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.rs.name", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.svc.id", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.svc.label", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.svc.labels", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "k8s.svc.name", Kind: String, Type: TypeCharbuf, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "proc.is_container_healthcheck", Kind: Bool, Type: TypeBool, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "proc.is_container_liveness_probe", Kind: Bool, Type: TypeBool, Traits: Deprecated, On: OnEvent, Doc: gone},
	{num: never, Name: "proc.is_container_readiness_probe", Kind: Bool, Type: TypeBool, Traits: Deprecated, On: OnEvent, Doc: gone},
}
