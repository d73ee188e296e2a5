package filter

import "github.com/gumshoe-ir/gumshoe/event"

// Restrict reports the first check of n whose field records of a kind never
// answer: such a condition is legal and quietly matches nothing, which is
// seldom meant. The error is an *Error.
func Restrict(n Node, on event.Applies) error {
	switch n := n.(type) {
	case *And:
		return restrictAll(n.Terms, on)
	case *Or:
		return restrictAll(n.Terms, on)
	case *Not:
		return Restrict(n.Term, on)
	case *Check:
		if n.Field.On&on != 0 {
			return nil
		}
		e := &Error{Pos: n.At, Msg: n.Field.Name + " is not known of " + recordNames[on]}
		if n.Field.On&event.OnEvent != 0 && on == event.OnActivity {
			e.Hint = "gumshoe tail filters by it"
		}
		return e
	}
	return nil
}

var recordNames = map[event.Applies]string{
	event.OnEvent: "system events", event.OnActivity: "activities", event.OnProcess: "processes",
}

func restrictAll(terms []Node, on event.Applies) error {
	for _, t := range terms {
		if err := Restrict(t, on); err != nil {
			return err
		}
	}
	return nil
}
