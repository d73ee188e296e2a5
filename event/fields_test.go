package event_test

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

var update = flag.Bool("update", false, "rewrite docs/fields.md")

// params lays out parameters as a capture does.
func params(values ...any) event.Params {
	var lens, data []byte
	for _, v := range values {
		var b []byte
		switch v := v.(type) {
		case string:
			b = append([]byte(v), 0)
		case []byte:
			b = v
		case int64:
			b = binary.LittleEndian.AppendUint64(nil, uint64(v))
		case uint32:
			b = binary.LittleEndian.AppendUint32(nil, v)
		}
		lens = binary.LittleEndian.AppendUint16(lens, uint16(len(b)))
		data = append(data, b...)
	}
	p, ok := event.NewParams(append(lens, data...), len(values), false)
	if !ok {
		panic("parameters do not fit")
	}
	return p
}

func tree() *event.Process {
	top := &event.Process{PID: 1, TID: 1, Name: "systemd", Exe: "/sbin/init", CloneTime: 1000}
	sshd := &event.Process{PID: 10, TID: 10, Name: "sshd", Cmdline: "sshd -D", Env: []string{"LANG=C"}, Parent: top, CloneTime: 2000}
	return &event.Process{
		PID: 20, TID: 21, PPID: 10, Name: "bash", Exe: "-bash", Args: []string{"-i", "x"}, Env: []string{"PATH=/bin", "X= y "},
		Cwd: "/root/", UID: 0, LoginUID: event.NoID, GID: 5, Parent: sshd, Leader: sshd, CloneTime: 3000, VPID: -1,
		CapEff: 1<<21 | 1, Cgroups: []string{"cpu=/a", "io=/b"}, ExeFlags: event.ExeUpperLayer,
	}
}

func openat(res int64, dirfd int64, name string, fd *event.FD) *event.Event {
	return &event.Event{
		ID: event.ID{NS: 5000}, Num: 9, TID: 21, Type: event.SyscallOpenatV2X, Process: tree(), FD: fd,
		Params: params(res, dirfd, name, uint32(1<<2|1<<1|1<<8), uint32(0o755), uint32(0), int64(7)),
	}
}

// ask is a field's value as text; "∅" when it is missing.
func ask(t *testing.T, r event.Record, name string) string {
	t.Helper()
	f, arg, err := event.ParseField(name)
	if err != nil {
		t.Fatal(err)
	}
	v, ok := r.Value(f, arg)
	if !ok {
		return "∅"
	}
	switch v.Kind {
	case event.String, event.Bytes:
		return v.Str
	case event.IP:
		return v.Addr.String()
	case event.Int:
		return fmt.Sprint(int64(v.Num))
	case event.Bool:
		return fmt.Sprint(v.Num != 0)
	}
	return fmt.Sprint(v.Num)
}

func TestFieldsOfEvents(t *testing.T) {
	opened := openat(3, -100, "etc//x", &event.FD{Num: 3, Kind: event.FDFile, Name: "/root/etc/x", NameRaw: "etc//x", RealPath: "/srv/x"})
	failed := openat(-2, -100, "../y", nil)
	atUnknown := openat(-2, 7, "y", nil)
	closed := &event.Event{Type: event.SyscallCloseX, Params: params(int64(0), int64(4))}
	for _, c := range []struct {
		e          *event.Event
		name, want string
	}{
		{opened, "evt.num", "9"},
		{opened, "evt.type", "openat"},
		{opened, "evt.res", "SUCCESS"},
		{opened, "evt.category", "file"},
		{opened, "evt.arg.flags", "O_TRUNC|O_CREAT|O_WRONLY"},
		{opened, "evt.arg[2]", "/root/etc/x"},
		{opened, "evt.arg.name", "/root/etc/x"},
		{opened, "evt.arg.fd", "<f>/root/etc/x"},
		{opened, "evt.arg.dirfd", "AT_FDCWD"},
		{opened, "evt.arg.uid", "∅"},
		{opened, "evt.rawarg.flags", "262"},
		{opened, "evt.rawarg.fd", "3"},
		{opened, "evt.args", "fd=3(<f>/root/etc/x) dirfd=-100(AT_FDCWD) name=etc//x(/root/etc/x) flags=262(O_TRUNC|O_CREAT|O_WRONLY) mode=0755 dev=0 ino=7"},
		{opened, "evt.is_open_write", "true"},
		{opened, "evt.is_open_read", "false"},
		{opened, "evt.is_open_exec", "true"},
		{opened, "evt.type.is.openat", "1"},
		{opened, "evt.type.is.open", "0"},
		{opened, "evt.abspath", "/root/etc/x"},
		{opened, "fd.directory", "/root/etc"},
		{opened, "fd.filename", "x"},
		{opened, "fd.typechar", "f"},
		{opened, "fd.sip", "∅"},
		{opened, "fd.l4proto", "<NA>"},
		{opened, "fs.path.name", "/root/etc/x"},
		{opened, "fs.path.nameraw", "etc//x"},
		{opened, "gumshoe.realpath", "/srv/x"},
		{opened, "gumshoe.activity.kind", "∅"},
		{failed, "evt.res", "ENOENT"},
		{failed, "evt.rawres", "-2"},
		{failed, "evt.count.error.file", "1"},
		{failed, "fd.num", "-1"},
		{failed, "fd.type", "∅"},
		{failed, "fd.typechar", "f"},
		{failed, "fd.name", "/y"},
		{failed, "fd.directory", "/"},
		{failed, "fd.filename", "∅"},
		{atUnknown, "fd.name", "<UNKNOWN>y"},
		{closed, "fd.num", "4"},
		{closed, "fd.name", ""},
		{closed, "fd.type", "∅"},
		{closed, "proc.name", "∅"},
		{closed, "container.id", "∅"},
		{closed, "fs.path.name", "∅"},
		{&event.Event{Type: event.SyscallUnlinkV2X, Params: params(int64(0), "/a")}, "fd.name", "∅"},
		{&event.Event{Type: event.SyscallUnlinkV2X, Params: params(int64(0), "/a/../b")}, "fs.path.name", "/b"},
		{&event.Event{Type: event.SyscallUnlinkV2X, Params: params(int64(-1), "/a")}, "fs.path.name", "∅"},
		{&event.Event{Type: event.SyscallLinkV2X, Params: params(int64(0), "/old", "/new")}, "fs.path.source", "/new"},
		{&event.Event{Type: event.SyscallRenameX, Params: params(int64(0), "/old", "/new")}, "fs.path.source", "/old"},
		{&event.Event{Type: event.Type(60000)}, "evt.type", "unknown"},
		{&event.Event{Origin: event.Raced | event.IA32}, "gumshoe.raced", "true"},
		{&event.Event{Origin: event.Raced | event.IA32}, "gumshoe.io_uring", "false"},
	} {
		if got := ask(t, c.e, c.name); got != c.want {
			t.Errorf("%s of %s: %q, want %q", c.name, c.e.Type, got, c.want)
		}
	}
}

func TestFieldsOfProcesses(t *testing.T) {
	p := tree()
	for _, c := range []struct{ name, want string }{
		{"proc.args", "-i x"},
		{"proc.args[1]", "x"},
		{"proc.args[9]", ""},
		{"proc.exeline", "-bash -i x"},
		{"proc.env", "PATH=/bin X= y "},
		{"proc.env[PATH]", "/bin"},
		{"proc.env[X]", "y"},
		{"proc.env[PAT]", ""},
		{"proc.aname[0]", "bash"},
		{"proc.aname[1]", "sshd"},
		{"proc.aname[2]", "systemd"},
		{"proc.aname[3]", "∅"},
		{"proc.aname", "sshd systemd"},
		{"proc.apid[2]", "1"},
		{"proc.aenv[LANG]", "C"},
		{"proc.aenv[NONE]", "∅"},
		{"proc.acmdline[1]", "sshd -D"},
		{"proc.pname", "sshd"},
		{"proc.pcmdline", "sshd -D"},
		{"proc.sname", "sshd"},
		{"proc.vpid", "∅"},
		{"proc.loginshellid", "20"},
		{"proc.cmdnargs", "2"},
		{"proc.cmdlenargs", "3"},
		{"proc.pid.ts", "3000"},
		{"proc.ppid.ts", "2000"},
		{"proc.duration", "∅"},
		{"proc.is_exe_upper_layer", "true"},
		{"proc.exe_ino.ctime", "∅"},
		{"thread.ismain", "false"},
		{"thread.cap_effective", "CAP_CHOWN CAP_SYS_ADMIN"},
		{"thread.cap_permitted", ""},
		{"thread.cgroup.io", "/b"},
		{"thread.cgroup.mem", "∅"},
		{"user.name", "root"},
		{"user.loginuid", "-1"},
		{"user.loginname", "<NA>"},
		{"group.name", "<NA>"},
		{"container.id", "host"},
		{"container.image.repository", ""},
		{"container.mount[0]", "∅"},
		{"k8s.ns.name", "∅"},
		{"evt.num", "∅"},
	} {
		if got := ask(t, p, c.name); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	e := &event.Event{ID: event.ID{NS: 5000}, Process: p}
	if got := ask(t, e, "proc.duration"); got != "2000" {
		t.Errorf("proc.duration of an event: %s, want 2000", got)
	}
}

func TestFieldsOfContainers(t *testing.T) {
	known := &event.Container{
		ID: "abc", FullID: "abcdef", Runtime: event.CRI, Name: "web", Image: "r/nginx:1", Repo: "r/nginx", Tag: "1", Pod: "api", Namespace: "billing",
		Labels: map[string]string{"b": "2", "a": "1"}, IP: netip.MustParseAddr("10.1.2.3"),
		Mounts: []event.Mount{{Source: "/srv", Dest: "/data", Mode: "z", RW: true, Propagation: "rprivate"}, {Source: "/proc", Dest: "/host/proc"}},
	}
	pending := &event.Container{ID: "abc", Pending: true, Runtime: event.Docker}
	for _, c := range []struct {
		c          *event.Container
		name, want string
	}{
		{known, "container.name", "web"},
		{known, "container.type", "cri"},
		{known, "container.labels", "a:1, b:2"},
		{known, "container.label[b]", "2"},
		{known, "container.label[c]", "∅"},
		{known, "container.mounts", "/srv:/data:z:true:rprivate,/proc:/host/proc::false:"},
		{known, "container.mount.dest[/pro*]", "/host/proc"},
		{known, "container.mount.source[/data]", "/srv"},
		{known, "container.mount.dest[1]", "/host/proc"},
		{known, "container.mount.dest[2]", "∅"},
		{known, "container.mount.rdwr[0]", "true"},
		{known, "k8s.ns.name", "billing"},
		{known, "k8s.pod.ip", "10.1.2.3"},
		{pending, "container.id", "abc"},
		{pending, "container.type", "docker"},
		{pending, "container.name", "∅"},
		{pending, "container.image.repository", "∅"},
		{pending, "container.privileged", "∅"},
	} {
		if got := ask(t, &event.Process{Container: c.c}, c.name); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFieldNamesThatCannotBeAnswered(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		says string
	}{
		{"proc.nmae", event.ErrUnknownField, "proc.nmae"},
		{"ka.verb", event.ErrUnansweredField, "ka.verb"},
		{"json.value[/a]", event.ErrUnansweredField, "json.value"},
		{"thread.cpu", event.ErrUnansweredField, "thread.cpu"},
		{"evt.arg", event.ErrFieldArgument, "evt.arg.flags"},
		{"evt.arg.nonsense", event.ErrFieldArgument, "nonsense"},
		{"evt.arg[x]", event.ErrFieldArgument, "position"},
		{"proc.aname[x]", event.ErrFieldArgument, "proc.aname[1]"},
		{"proc.aname[1", event.ErrFieldArgument, "not closed"},
		{"proc.name[1]", event.ErrFieldArgument, "takes none"},
		{"container.label", event.ErrFieldArgument, "container.label[NAME]"},
		{"evt.type.is.nothing", event.ErrFieldArgument, "nothing"},
		{"proc.name.x", event.ErrUnknownField, "proc.name.x"},
	} {
		_, _, err := event.ParseField(c.name)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("ParseField(%s): %v, want %v with %q", c.name, err, c.want, c.says)
		}
	}
}

func TestSimilarFindsSlips(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"proc.nmae", "proc.name"}, {"proc.cmdlne", "proc.cmdline"}, {"contaner", "container"}, {"usr", "user"}, {"x", ""}, {"qwertyuiop", ""},
	} {
		if got, _ := event.Similar(c.typed); got != c.want {
			t.Errorf("Similar(%s) = %q, want %q", c.typed, got, c.want)
		}
	}
}

func TestCatalogueIsSound(t *testing.T) {
	seen := map[string]string{}
	for _, f := range event.Fields() {
		if f.Doc == "" || !strings.HasSuffix(f.Doc, ".") && !strings.HasSuffix(f.Doc, "…") || f.On == 0 || f.Kind == event.NoValue && f.Traits&event.Dynamic == 0 {
			t.Errorf("%s lacks a sentence, a record or a kind", f.Name)
		}
		if event.IsUnanswered(f.Name) {
			t.Errorf("%s is both answered and not", f.Name)
		}
		for _, n := range [2]string{f.Name, f.Alias} {
			if seen[n] != "" && n != "" {
				t.Errorf("%s names both %s and %s", n, seen[n], f.Name)
			}
			seen[n] = f.Name
		}
		if got, _, err := event.ParseField(f.Example()); err != nil || got.Name != f.Name {
			t.Errorf("%s: its example %s is read as %v, %v", f.Name, f.Example(), got, err)
		}
	}
}

// TestEveryFieldIsAnsweredWhereItSays asks every record for every field: none
// may panic, and records that are no place for a field have none.
func TestEveryFieldIsAnsweredWhereItSays(t *testing.T) {
	records := map[event.Applies]event.Record{
		event.OnEvent:    openat(3, -100, "x", &event.FD{Num: 3, Kind: event.FDFile, Name: "/x"}),
		event.OnActivity: &event.Activity{ID: event.ID{NS: 1}, Process: tree()},
		event.OnProcess:  tree(),
	}
	for _, f := range event.Fields() {
		_, arg, _ := event.ParseField(f.Example())
		for on, r := range records {
			if v, ok := r.Value(&f, arg); ok && f.On&on == 0 {
				t.Errorf("%s says that %T has none, but it is %+v", f.Name, r, v)
			}
		}
	}
}

func TestPlainFieldsAllocateNothing(t *testing.T) {
	e := openat(3, -100, "/etc/x", &event.FD{Num: 3, Kind: event.FDFile, Name: "/etc/x"})
	for _, name := range []string{
		"evt.type", "evt.num", "evt.res", "evt.category", "evt.is_open_write", "evt.rawarg.flags", "proc.name", "proc.exepath", "proc.cmdline",
		"proc.aname[2]", "proc.pname", "proc.args[1]", "proc.env[PATH]", "user.name", "user.uid", "container.id", "fd.name", "fd.directory", "fd.filename",
		"fd.typechar", "fd.num", "fs.path.name", "gumshoe.raced", "k8s.ns.name", "proc.duration",
	} {
		f, arg, err := event.ParseField(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(50, func() { e.Value(f, arg) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzValue: no event of any type with any parameters makes a field panic.
func FuzzValue(f *testing.F) {
	f.Add(uint16(307), []byte{8, 0, 4, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 'a', 'b', 0, 0}, byte(3))
	f.Add(uint16(23), []byte{1, 0, 37, 0, 10, 2, 2, 2, 2}, byte(4))
	f.Fuzz(func(t *testing.T, typ uint16, raw []byte, n byte) {
		e := &event.Event{Type: event.Type(typ), Process: tree(), FD: &event.FD{Num: int64(n) - 2, Kind: event.FDKind(n), Name: string(raw)}}
		e.Params, _ = event.NewParams(raw, int(n%32), e.Type.Has(event.LargePayload))
		for _, field := range event.Fields() {
			_, arg, _ := event.ParseField(field.Example())
			e.Value(&field, arg)
		}
		for i := range e.Params.Len() {
			if f, ok := event.LookupField("evt.arg"); ok {
				e.Value(f, fmt.Sprint(i))
			}
		}
		e.FD = nil
		e.AppendArgs(nil)
	})
}

func BenchmarkValue(b *testing.B) {
	e := openat(3, -100, "/etc/x", &event.FD{Num: 3, Kind: event.FDFile, Name: "/etc/x"})
	for _, name := range []string{"proc.name", "evt.type", "fd.name", "evt.arg.flags", "evt.args"} {
		b.Run(name, func(b *testing.B) {
			f, arg, err := event.ParseField(name)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				e.Value(f, arg)
			}
		})
	}
}

// TestFieldsAreDocumented compares docs/fields.md with the catalogue; -update
// rewrites it.
func TestFieldsAreDocumented(t *testing.T) {
	const path = "../docs/fields.md"
	want := document()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the catalogue says: run go test ./event -run Documented -update", path)
	}
}

func document() string {
	var b strings.Builder
	b.WriteString(`# Fields

What conditions, filter bars and output templates may ask for. Written from the catalogue in package event by
` + "`go test ./event -run Documented -update`" + `; do not edit.

On: **e** system events (` + "`gumshoe tail`" + `), **a** activities (` + "`gumshoe activity`" + `), **p** processes (` + "`gumshoe ps`" + `).
A record without a field has no value for it: every comparison is false, also ` + "`!=`" + `, and it prints ` + "`<NA>`" + `.
Short names work in filter bars and ` + "`--filter`" + `.

| field | short | type | on | meaning |
|---|---|---|---|---|
`)
	kinds := [...]string{"any", "text", "number", "number", "yes/no", "bytes", "address", "network", "duration", "time", "list"}
	for _, f := range event.Fields() {
		on := ""
		for i, letter := range []string{"e", "a", "p"} {
			if f.On&(1<<i) != 0 {
				on += letter
			}
		}
		doc := f.Doc
		if f.Traits&event.FilterOnly != 0 {
			doc += " Only in conditions."
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.Example(), f.Alias, kinds[f.Kind], on, doc)
	}
	return b.String()
}
