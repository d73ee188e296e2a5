package proc

import (
	"strings"
	"testing"

	"github.com/gumshoe-ir/gumshoe/event"
)

func FuzzContainerOf(f *testing.F) {
	for _, s := range []string{"cpu=/docker/" + idA, "name=systemd=/machine.slice/machine-a\\x2db.scope", "/kubepods/pod" + uid + "/" + idA, "=/lxc.payload.x", "cpu=/pod/podpod"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := containerOf([]string{s})
		if ok && (c.id == "" || len(c.id) > 256 || len(shortID(c.id)) > 64) {
			t.Errorf("%+v", c)
		}
		if !ok && strings.HasSuffix(s, "/docker/"+idA) && len(s) < 1000 && strings.Count(s, "/") < maxCgroupDepth && strings.HasPrefix(s, "cpu=/") {
			t.Errorf("%q is in a container", s)
		}
	})
}

func FuzzParseContainer(f *testing.F) {
	f.Add([]byte(`{"container":{"id":"a","type":"7","labels":{"a":"b"},"Mounts":[{"Source":"/","RW":true}],"ip":"::1"}}`))
	f.Add([]byte(`{"container":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, ok := parseContainer(b); ok && (c.FullID == "" || len(c.Labels) > maxLabels+16 || len(c.Mounts) > maxMounts || len(c.Name) > maxLabelText) {
			t.Errorf("%+v", c)
		}
	})
}

func FuzzProcFiles(f *testing.F) {
	f.Add([]byte("10 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22"))
	f.Add([]byte("Uid:\t1\t2\nNSpid:\t1\t2\nCapEff:\tff\n0::/x\n1:cpu,cpuacct:/y\n"))
	f.Add([]byte("0: 0100007F:0016 00000000:0000 0A 0:0 0:0 0 0 0 11 1"))
	f.Add([]byte("root:x:0:0:::\nstaff:x:50:"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := parseStat(b); s.ok && len(s.comm) > len(b) {
			t.Error("a name from nowhere")
		}
		parseStatus(b)
		if c := parseCgroup(b); len(c) > 0 && c[len(c)-1] != 0 {
			t.Errorf("%q does not end", c)
		}
		n := nets{by: make(map[uint64]event.FD), listening: make(map[uint16]bool)}
		n.inet(b, event.ProtoTCP, true)
		n.unix(b)
		n.netlink(b)
		if len(parsePasswd(b)) > maxAccounts || len(parseGroup(b)) > maxAccounts {
			t.Error("too many accounts")
		}
		var env envFilter
		for _, v := range env.filter(b) {
			if _, value, ok := strings.Cut(v, "=<"); ok && !strings.HasSuffix(value, " bytes>") {
				t.Errorf("a value was kept: %q", v)
			}
		}
	})
}

func FuzzJoin(f *testing.F) {
	f.Add("/home/", "../x")
	f.Add(unknown, "../..")
	f.Fuzz(func(t *testing.T, dir, name string) {
		got := join(dir, []byte(name))
		if len(got) > maxPath+2 || !strings.HasPrefix(got, "/") && !strings.HasPrefix(got, unknown) {
			t.Errorf("%q", got)
		}
		if strings.Contains(got, "//") || strings.HasSuffix(got, "/..") || strings.Contains(got, "/../") {
			t.Errorf("%q is not clean", got)
		}
	})
}
