package event

import "strings"

const (
	threadTID uint16 = firstThread + iota
	threadVTID
	threadIsMain
	threadNameTID
	threadCapPermitted
	threadCapEffective
	threadCapInheritable
	threadCgroups
	threadCgroup
	userUID
	userName
	userHome
	userShell
	userLoginUID
	userLoginName
	groupGID
	groupName
)

var threadFields = []Field{
	{num: threadTID, Name: "thread.tid", Kind: Int, Type: TypePID, Alias: "tid", On: onProcess, Doc: "Thread id on the host."},
	{num: threadVTID, Name: "thread.vtid", Kind: Int, Type: TypePID, On: onProcess, Doc: "Thread id inside its own pid namespace."},
	{num: threadIsMain, Name: "thread.ismain", Kind: Bool, Type: TypeBool, On: onProcess, Doc: "Whether the thread is its process' first."},
	{num: threadNameTID, Name: "thread.nametid", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Name and thread id in one word."},
	{num: threadCapPermitted, Name: "thread.cap_permitted", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Permitted capabilities, CAP_… joined by blanks."},
	{num: threadCapEffective, Name: "thread.cap_effective", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Effective capabilities, CAP_… joined by blanks."},
	{num: threadCapInheritable, Name: "thread.cap_inheritable", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Inheritable capabilities, CAP_… joined by blanks."},
	{num: threadCgroups, Name: "thread.cgroups", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "All control groups as subsystem=path, joined by blanks."},
	{num: threadCgroup, Name: "thread.cgroup", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, Traits: ByName, On: onProcess, Doc: "Path of the control group of one subsystem."},
	{num: userUID, Name: "user.uid", Kind: Uint, Type: TypeUint32, Alias: "uid", On: onProcess, Doc: "Effective user id, as the host counts."},
	{num: userName, Name: "user.name", Kind: String, Type: TypeCharbuf, Alias: "user", On: onProcess, Doc: "Name of that user in the process' container or on the host; \"<NA>\" when there is none."},
	{num: userHome, Name: "user.homedir", Kind: String, Type: TypeFSPath, On: onProcess, Doc: "Home directory of that user."},
	{num: userShell, Name: "user.shell", Kind: String, Type: TypeFSPath, On: onProcess, Doc: "Login shell of that user."},
	{num: userLoginUID, Name: "user.loginuid", Kind: Int, Type: TypeInt64, On: onProcess, Doc: "User id of the login (audit), whatever su and sudo did since; -1 when there was none."},
	{num: userLoginName, Name: "user.loginname", Kind: String, Type: TypeCharbuf, Alias: "login", On: onProcess, Doc: "Name of the user who logged in; \"<NA>\" when there is none."},
	{num: groupGID, Name: "group.gid", Kind: Uint, Type: TypeUint32, Alias: "gid", On: onProcess, Doc: "Effective group id."},
	{num: groupName, Name: "group.name", Kind: String, Type: TypeCharbuf, Alias: "group", On: onProcess, Doc: "Name of that group; \"<NA>\" when there is none."},
}

func (p *Process) threadValue(n uint16, arg string) (Value, bool) {
	switch n {
	case threadTID:
		return integer(int64(p.TID)), true
	case threadVTID:
		return integer(int64(p.VTID)), p.VTID >= 0
	case threadIsMain:
		return boolean(p.TID == p.PID), true
	case threadNameTID:
		return text(p.Name + decimal(int64(p.TID))), true
	case threadCapPermitted:
		return text(capabilities(p.CapPerm)), true
	case threadCapEffective:
		return text(capabilities(p.CapEff)), true
	case threadCapInheritable:
		return text(capabilities(p.CapInh)), true
	case threadCgroups:
		return text(strings.Join(p.Cgroups, " ")), true
	case threadCgroup:
		for _, c := range p.Cgroups {
			if len(c) > len(arg) && c[len(arg)] == '=' && c[:len(arg)] == arg {
				return text(c[len(arg)+1:]), true
			}
		}
		return Value{}, false
	case userUID:
		return number(uint64(p.UID)), true
	case userName:
		return text(p.UserName()), true
	case userHome:
		return p.homeOrShell(func(u *User) string { return u.Home })
	case userShell:
		return p.homeOrShell(func(u *User) string { return u.Shell })
	case userLoginUID:
		return integer(int64(int32(p.LoginUID))), true
	case userLoginName:
		return text(nameOr(p.LoginUser, p.LoginUID)), true
	case groupGID:
		return number(uint64(p.GID)), true
	case groupName:
		return text(nameOr(p.Group, p.GID)), true
	}
	return Value{}, false
}

// UserName is the name of p's effective user, "root" for an unknown 0, and
// "<NA>" for other unknown ones.
func (p *Process) UserName() string {
	if p.User != nil {
		return p.User.Name
	}
	return nameOr("", p.UID)
}

func (p *Process) homeOrShell(get func(*User) string) (Value, bool) {
	if p.User == nil {
		return text(unresolved), true
	}
	return text(get(p.User)), true
}

func nameOr(name string, id uint32) string {
	switch {
	case name != "":
		return name
	case id == 0:
		return "root"
	}
	return unresolved
}

func capabilities(set uint64) string {
	var b []byte
	for i, name := range capNames {
		if set&(1<<i) != 0 {
			if b == nil {
				b = make([]byte, 0, 1024)
			} else {
				b = append(b, ' ')
			}
			b = append(b, name...)
		}
	}
	return string(b)
}
