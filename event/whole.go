package event

// Path is path parameter i as evt.abspath shows it: absolute, worked out from
// the text alone, empty when it is not available. It may point into the
// batch's memory.
func (e *Event) Path(i int) string {
	if len(e.Params.At(i)) == 0 {
		return ""
	}
	return e.wholePath(i)
}
