package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/rules/filter"
)

// translator makes a filter into a condition over one file. What it makes
// holds for all rows that the filter wants; where it holds for more, exact is
// not set and the rows are judged one by one.
type translator struct {
	r   *reader
	ctx context.Context // of one translation, which is one call
	// quick leaves out conditions of so many strings that rows are met soon
	// without them; left says that it did.
	quick, left bool
}

// anyRow is the condition of what SQL cannot judge.
func anyRow() term { return term{op: always} }

func (t *translator) node(n filter.Node) (term, error) {
	switch n := n.(type) {
	case nil:
		return term{op: always, exact: true}, nil
	case *filter.And:
		return t.all(n.Terms, and)
	case *filter.Or:
		return t.all(n.Terms, or)
	case *filter.Not:
		inner, err := t.node(n.Term)
		if err != nil || !inner.exact {
			return anyRow(), err
		}
		return inner.negate(), nil
	case *filter.Check:
		return t.check(n)
	case *filter.Text:
		return t.word(n)
	}
	return anyRow(), nil
}

func (t *translator) all(nodes []filter.Node, o op) (term, error) {
	out := term{op: o, exact: true}
	for _, n := range nodes {
		inner, err := t.node(n)
		if err != nil {
			return term{}, err
		}
		if o == and && inner.op == never {
			return inner, nil // whatever the others cost
		}
		out.exact = out.exact && inner.exact
		out.terms = append(out.terms, inner)
	}
	return out.simplify(), nil
}

func (t *translator) check(c *filter.Check) (term, error) {
	match, err := compile(c)
	if err != nil {
		return term{}, err
	}
	name := c.Field.Name
	switch {
	case isWhoField(name):
		return t.who(match)
	case c.Arg != "":
		return anyRow(), nil
	case name == "gumshoe.activity.kind":
		return t.kind(match), nil
	case name == "proc.pid":
		return t.pid(c)
	case strings.HasPrefix(name, "proc."):
		return t.process(c)
	}
	return t.rowField(c, match)
}

// isWhoField reports whether a field depends on nothing but the who row.
func isWhoField(name string) bool {
	switch name {
	case "container.start_ts", "container.duration": // of the process' pid namespace
		return false
	case "user.name", "user.uid", "user.loginuid", "user.loginname", "gumshoe.session", "gumshoe.activity.user":
		return true
	}
	return strings.HasPrefix(name, "container.") || strings.HasPrefix(name, "k8s.")
}

// who judges each who row of the file.
func (t *translator) who(match func(event.Record) bool) (term, error) {
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	if err := t.r.refresh(t.ctx); err != nil {
		return term{}, err
	}
	if err := t.r.loadWhos(t.ctx, nil); err != nil {
		return term{}, err
	}
	out := term{op: set, column: "who", exact: true}
	for id, a := range t.r.whos {
		if match(a) {
			out.ids = append(out.ids, id)
		}
	}
	return out.simplify(), nil
}

func (t *translator) kind(match func(event.Record) bool) term {
	out := term{op: set, column: "kind", exact: true}
	for k := range event.Kinds {
		if match(&event.Activity{Kind: k}) {
			out.ids = append(out.ids, int64(k))
		}
	}
	return out.simplify()
}

// someProcess holds for rows that have a process.
func someProcess() term {
	none := term{op: set, column: "process", ids: []int64{0}, exact: true}
	return none.negate()
}

var sqlOps = map[filter.Op]string{filter.Eq: "=", filter.Ne: "<>", filter.Lt: "<", filter.Le: "<=", filter.Gt: ">", filter.Ge: ">="}

func (t *translator) pid(c *filter.Check) (term, error) {
	if c.Op == filter.Exists {
		return someProcess(), nil
	}
	where := ""
	if o, ok := sqlOps[c.Op]; ok {
		n, err := strconv.ParseInt(c.Values[0], 10, 64)
		if err != nil {
			return anyRow(), nil
		}
		where = fmt.Sprintf("pid %s %d", o, n)
	} else {
		var pids []int64
		for _, v := range c.Values {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return anyRow(), nil
			}
			pids = append(pids, n)
		}
		where = "pid in (" + in(pids) + ")"
	}
	return t.processes("select id from process where "+where, true)
}

// maxProcesses bounds the ids of processes in a condition; beyond, rows are
// judged one by one.
const maxProcesses = 50000

// processes are the process rows that text selects.
func (t *translator) processes(text string, exact bool) (term, error) {
	out := term{op: set, column: "process", exact: exact}
	err := t.r.query(t.ctx, text+fmt.Sprintf(" limit %d", maxProcesses+1), func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		out.ids = append(out.ids, id)
		return err
	})
	if err != nil || len(out.ids) > maxProcesses {
		return anyRow(), err
	}
	return out.simplify(), nil
}

// processColumns are where a process field's text is interned, and how the row
// it is read from is related to the activity's process.
var processColumns = map[string]struct{ column, relation string }{
	"proc.name": {"name", ""}, "proc.exepath": {"exepath", ""}, "proc.cmdline": {"cmdline", ""},
	"proc.pname": {"name", "parent"}, "proc.pexepath": {"exepath", "parent"}, "proc.pcmdline": {"cmdline", "parent"},
	"proc.aname": {"name", "ancestor"}, "proc.aexepath": {"exepath", "ancestor"}, "proc.acmdline": {"cmdline", "ancestor"},
}

func (t *translator) process(c *filter.Check) (term, error) {
	at, ok := processColumns[c.Field.Name]
	switch {
	case !ok:
		return anyRow(), nil
	case c.Op == filter.Exists && at.relation == "":
		return someProcess(), nil
	case c.Op == filter.Exists:
		return anyRow(), nil
	case c.Op == filter.Ne && at.relation == "":
		same := *c
		same.Op = filter.Eq
		inner, err := t.process(&same)
		if err != nil || !inner.exact {
			return anyRow(), err
		}
		out := term{op: and, terms: []term{someProcess(), inner.negate()}, exact: true}
		return out.simplify(), nil
	}
	ids, ok, err := t.words(c, asTarget)
	if err != nil || !ok {
		return anyRow(), err
	}
	base := "select id from process where " + at.column + " in (" + in(ids) + ")"
	switch at.relation {
	case "parent":
		return t.processes("select id from process where parent in ("+base+")", true)
	case "ancestor":
		return t.processes(`with recursive below(id) as (select id from process where parent in (`+base+`)
			union select p.id from process p join below b on p.parent = b.id) select id from below`, true)
	}
	return t.processes(base, true)
}

// rowField is about what the activity's own row and its extras hold.
func (t *translator) rowField(c *filter.Check, match func(event.Record) bool) (term, error) {
	switch c.Field.Name {
	case "gumshoe.activity.target":
		return t.interned(c, "target", asTarget)
	case "gumshoe.activity.verb", "evt.type":
		return t.interned(c, "verb", func(s string) *event.Activity { return &event.Activity{Verb: s} })
	case "gumshoe.activity.name":
		return t.interned(c, "name", func(s string) *event.Activity { return &event.Activity{Name: s} })
	case "fd.name", "fd.directory", "fd.filename", "fs.path.name", "fs.path.source":
		return t.path(c)
	case "fd.rip", "fd.rport", "fd.rnet":
		return t.ends(c, match, true, false)
	case "fd.lip", "fd.lport", "fd.lnet":
		return t.ends(c, match, false, true)
	case "fd.ip", "fd.port", "fd.net", "fd.cip", "fd.cport", "fd.cnet", "fd.sip", "fd.sport", "fd.snet":
		return t.ends(c, match, true, true)
	}
	return anyRow(), nil
}

func asTarget(s string) *event.Activity { return &event.Activity{Target: s} }

// interned is a condition over a column that holds a string's id.
func (t *translator) interned(c *filter.Check, column string, probe func(string) *event.Activity) (term, error) {
	switch {
	case c.Op == filter.Exists:
		return anyRow(), nil
	case c.Op == filter.Ne && column != "name":
		same := *c
		same.Op = filter.Eq
		inner, err := t.interned(&same, column, probe)
		if err != nil || !inner.exact {
			return anyRow(), err
		}
		return inner.negate(), nil
	}
	ids, ok, err := t.words(c, probe)
	if err != nil || !ok {
		return anyRow(), err
	}
	out := term{op: set, column: column, ids: ids, exact: true}
	return out.simplify(), nil
}

// path is a condition over a file's path. Connections have fd.name too; only
// those without addresses can have a name that no address looks like.
func (t *translator) path(c *filter.Check) (term, error) {
	if !positive(c.Op) {
		return anyRow(), nil
	}
	second := "" // fs.path.source is the first of two paths
	if c.Field.Name == "fs.path.source" {
		second = "/"
	}
	ids, ok, err := t.words(c, func(s string) *event.Activity {
		return &event.Activity{Kind: event.File, Target: s, Name: second}
	})
	if err != nil || !ok {
		return anyRow(), err
	}
	kinds := []int64{int64(event.File)}
	if c.Field.Name == "fd.name" {
		for _, v := range c.Values {
			if strings.Trim(v, "0123456789abcdef.:->[]") == "" {
				return anyRow(), nil
			}
		}
		kinds = append(kinds, int64(event.Connection))
	}
	path := term{op: set, column: "target", ids: ids}
	out := term{op: and, terms: []term{path.simplify(), {op: set, column: "kind", ids: kinds}}}
	return out.simplify(), nil
}

// positive reports whether an operator holds only where the value has the
// constants in it.
func positive(o filter.Op) bool {
	switch o {
	case filter.Eq, filter.In, filter.Contains, filter.StartsWith, filter.EndsWith:
		return true
	}
	return false
}

// ends is a condition over a connection's addresses: each address that the
// file knows is judged alone.
func (t *translator) ends(c *filter.Check, match func(event.Record) bool, remote, local bool) (term, error) {
	if c.Op == filter.Exists {
		return anyRow(), nil
	}
	connections := term{op: set, column: "kind", ids: []int64{int64(event.Connection)}}
	if c.Op != filter.Eq && c.Op != filter.In {
		return connections, nil
	}
	either := func(a event.Activity) bool {
		a.Kind, a.Verb = event.Connection, "connect"
		if match(&a) {
			return true
		}
		a.Verb = "accept"
		return match(&a)
	}
	out := term{op: or}
	if remote {
		far, ok, err := t.remotes(func(a netip.AddrPort) bool { return either(event.Activity{Remote: a}) })
		if err != nil || !ok {
			return connections, err
		}
		out.terms = append(out.terms, far)
	}
	if local {
		near, ok, err := t.locals(func(a netip.AddrPort) bool { return either(event.Activity{Local: a}) })
		if err != nil || !ok {
			return connections, err
		}
		out.terms = append(out.terms, near)
	}
	return out.simplify(), nil
}

// word is a free word, with what rules/filter takes for seen: target, name,
// user, verb, process name and command line, container, pod and addresses.
func (t *translator) word(n *filter.Text) (term, error) {
	match, err := compile(n)
	if err != nil {
		return term{}, err
	}
	if match(&event.Activity{}) { // the empty word
		return anyRow(), nil
	}
	field, ok := event.LookupField("gumshoe.activity.target")
	if !ok {
		return anyRow(), nil
	}
	ids, ok, err := t.words(&filter.Check{Field: field, Op: filter.IContains, Values: []string{n.Word}}, asTarget)
	if err != nil || !ok {
		return anyRow(), err
	}
	list := in(ids)
	by, err := t.processes("select id from process where name in ("+list+") or cmdline in ("+list+")", true)
	if err != nil {
		return term{}, err
	}
	who, err := t.who(match)
	if err != nil {
		return term{}, err
	}
	out := term{op: or, terms: []term{
		by, who, {op: set, column: "target", ids: ids}, {op: set, column: "name", ids: ids},
	}}
	verbs, err := t.verbs(ids)
	if err != nil {
		return term{}, err
	}
	out.terms = append(out.terms, term{op: set, column: "verb", ids: verbs})
	if strings.Trim(n.Word, "0123456789abcdefABCDEF.:[]") == "" {
		ends, err := t.ends(&filter.Check{Op: filter.Eq}, match, true, true)
		if err != nil {
			return term{}, err
		}
		out.terms = append(out.terms, ends)
	}
	for i := range out.terms {
		out.terms[i] = out.terms[i].simplify()
	}
	return out.simplify(), nil
}

// verbs are those of ids that are verbs.
func (t *translator) verbs(ids []int64) (out []int64, err error) {
	err = t.r.query(t.ctx, "select id from verb where id in ("+in(ids)+")", func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	})
	return out, err
}
