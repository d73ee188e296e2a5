package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gumshoe-ir/gumshoe/event"
)

// activityJSON is one line of gumshoe activity --json. Names are stable. Text
// that is not UTF-8 stands with U+FFFD, and whole in Raw.
type activityJSON struct {
	ID       string            `json:"id"`   // names the activity, sorts by time
	Time     string            `json:"time"` // RFC 3339 with ns, UTC
	End      string            `json:"end,omitempty"`
	Kind     string            `json:"kind"` // cmd, net, file, sys, …
	Verb     string            `json:"verb"`
	Target   string            `json:"target"`
	User     string            `json:"user"`
	Session  string            `json:"session,omitempty"` // 16 hexadecimal digits
	Severity string            `json:"severity,omitempty"`
	Result   int64             `json:"result"`
	Count    uint32            `json:"count"`
	Origin   []string          `json:"origin,omitempty"` // raced, io_uring, ia32
	Process  *processJSON      `json:"process,omitempty"`
	Remote   string            `json:"remote,omitempty"` // address:port
	Local    string            `json:"local,omitempty"`
	Proto    string            `json:"proto,omitempty"`
	Sent     uint64            `json:"sent,omitempty"` // bytes
	Received uint64            `json:"received,omitempty"`
	Name     string            `json:"name,omitempty"` // DNS name, or the second path
	Flags    uint32            `json:"flags,omitempty"`
	RealPath string            `json:"real_path,omitempty"`
	Raw      map[string]string `json:"raw,omitempty"` // place of a text above → its bytes in base64
}

// processJSON is a process in JSON: one line of gumshoe ps --json.
type processJSON struct {
	PID       int32             `json:"pid"`
	TID       int32             `json:"tid,omitempty"`
	PPID      int32             `json:"ppid"`
	PGID      int32             `json:"pgid"`
	SID       int32             `json:"sid"`
	VPID      int32             `json:"vpid,omitempty"`
	Name      string            `json:"name"`
	Exe       string            `json:"exe,omitempty"`
	ExePath   string            `json:"exe_path,omitempty"`
	Args      []string          `json:"args,omitempty"`
	Env       []string          `json:"env,omitempty"`
	Cmdline   string            `json:"cmdline,omitempty"`
	Cwd       string            `json:"cwd,omitempty"`
	UID       uint32            `json:"uid"`
	GID       uint32            `json:"gid"`
	User      string            `json:"user,omitempty"`
	LoginUID  *uint32           `json:"login_uid,omitempty"`
	LoginUser string            `json:"login_user,omitempty"`
	TTY       uint32            `json:"tty,omitempty"`
	Start     string            `json:"start,omitempty"`
	Exec      string            `json:"exec,omitempty"`
	Exit      string            `json:"exit,omitempty"`
	StartBoot uint64            `json:"start_boottime,omitempty"` // ns
	Container *containerJSON    `json:"container,omitempty"`
	Ancestors []ancestorJSON    `json:"ancestors,omitempty"` // parent first
	Raw       map[string]string `json:"raw,omitempty"`
}

type ancestorJSON struct {
	PID     int32  `json:"pid"`
	Name    string `json:"name"`
	Cmdline string `json:"cmdline,omitempty"`
}

type containerJSON struct {
	ID        string            `json:"id"`
	FullID    string            `json:"full_id,omitempty"`
	Runtime   string            `json:"runtime"`
	Name      string            `json:"name,omitempty"`
	Image     string            `json:"image,omitempty"`
	Digest    string            `json:"digest,omitempty"`
	Pod       string            `json:"pod,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Problem   string            `json:"problem,omitempty"`
}

// maxAncestors bounds the chain of one line.
const maxAncestors = 64

// raw collects the texts of one line that JSON cannot hold.
type raw map[string]string

// text is s as JSON holds it; its bytes are kept under place when those differ.
func (r raw) text(place, s string) string {
	if !utf8.ValidString(s) {
		r[place] = base64.StdEncoding.EncodeToString([]byte(s))
	}
	return s
}

func (r raw) list(place string, list []string) []string {
	for i, s := range list {
		r.text(place+"["+strconv.Itoa(i)+"]", s)
	}
	return list
}

func (r raw) labels(place string, m map[string]string) map[string]string {
	for k, v := range m {
		r.text(place+"."+k, v)
	}
	return m
}

// orNil keeps empty maps out of the line.
func (r raw) orNil() map[string]string {
	if len(r) == 0 {
		return nil
	}
	return r
}

// appendActivity appends a as one line of JSON.
func appendActivity(dst []byte, a *event.Activity) ([]byte, error) {
	r := raw{}
	line := activityJSON{
		ID: a.ID.String(), Time: stamp(a.ID.NS), End: stamp(a.End), Kind: a.Kind.String(),
		Verb: r.text("verb", a.Verb), Target: r.text("target", a.Target), User: r.text("user", a.User),
		Severity: severity(a.Severity), Result: a.Result, Count: a.Count, Origin: origins(a.Origin),
		Remote: address(a.Remote), Local: address(a.Local), Sent: a.Sent, Received: a.Received,
		Name: r.text("name", a.Name), Flags: a.Flags, RealPath: r.text("real_path", a.RealPath),
	}
	if a.Session != 0 {
		line.Session = fmt.Sprintf("%016x", uint64(a.Session))
	}
	if a.Proto > event.ProtoNA {
		line.Proto = a.Proto.String()
	}
	if a.Process != nil {
		line.Process = newProcessJSON(a.Process, r, "process.")
	}
	line.Raw = r.orNil()
	return appendJSON(dst, line)
}

// appendProcess appends p as one line of JSON.
func appendProcess(dst []byte, p *event.Process) ([]byte, error) {
	r := raw{}
	line := newProcessJSON(p, r, "")
	line.Raw = r.orNil()
	return appendJSON(dst, line)
}

func appendJSON(dst []byte, v any) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return dst, fmt.Errorf("write JSON: %w", err)
	}
	return buf.Bytes(), nil
}

func newProcessJSON(p *event.Process, r raw, at string) *processJSON {
	line := &processJSON{
		PID: p.PID, TID: p.TID, PPID: p.PPID, PGID: p.PGID, SID: p.SID, VPID: p.VPID,
		Name: r.text(at+"name", p.Name), Exe: r.text(at+"exe", p.Exe), ExePath: r.text(at+"exe_path", p.ExePath),
		Args: r.list(at+"args", p.Args), Env: r.list(at+"env", p.Env), Cmdline: r.text(at+"cmdline", p.Cmdline),
		Cwd: r.text(at+"cwd", p.Cwd), UID: p.UID, GID: p.GID, LoginUser: r.text(at+"login_user", p.LoginUser), TTY: p.TTY,
		Start: stamp(p.CloneTime), Exec: stamp(p.ExecTime), Exit: stamp(p.ExitTime), StartBoot: p.StartBoot,
	}
	if p.User != nil {
		line.User = r.text(at+"user", p.User.Name)
	}
	if p.LoginUID != event.NoID {
		line.LoginUID = &p.LoginUID
	}
	if c := p.Container; c != nil {
		line.Container = &containerJSON{
			ID: r.text(at+"container.id", c.ID), FullID: r.text(at+"container.full_id", c.FullID), Runtime: c.Runtime.String(),
			Name: r.text(at+"container.name", c.Name), Image: r.text(at+"container.image", c.Image), Digest: c.Digest,
			Pod: r.text(at+"container.pod", c.Pod), Namespace: r.text(at+"container.namespace", c.Namespace),
			Labels: r.labels(at+"container.labels", c.Labels), Problem: r.text(at+"container.problem", c.Problem),
		}
	}
	for q := p.Parent; q != nil && len(line.Ancestors) < maxAncestors; q = q.Parent {
		place := at + "ancestors[" + strconv.Itoa(len(line.Ancestors)) + "]."
		line.Ancestors = append(line.Ancestors, ancestorJSON{q.PID, r.text(place+"name", q.Name), r.text(place+"cmdline", q.Cmdline)})
	}
	return line
}

// stamp is ns since the epoch as RFC 3339, empty for 0.
func stamp(ns uint64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, int64(ns)).UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
}

func address(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func origins(o event.Origin) []string {
	var out []string
	for _, f := range []struct {
		bit  event.Origin
		name string
	}{{event.Raced, "raced"}, {event.IOURing, "io_uring"}, {event.IA32, "ia32"}} {
		if o&f.bit != 0 {
			out = append(out, f.name)
		}
	}
	return out
}

// severity is Falco's name of p, empty when it is none.
func severity(p event.Priority) string {
	names := []string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}
	if int(p) < len(names) {
		return names[p]
	}
	return ""
}
