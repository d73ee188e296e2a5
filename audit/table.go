package audit

// table is a map of at most max entries, in which the oldest makes room. It
// reuses the memory of removed entries.
type table[K comparable, V any] struct {
	at   map[K]*entry[K, V]
	ends entry[K, V] // next is the oldest, prev the newest
	free *entry[K, V]
	max  int
}

type entry[K comparable, V any] struct {
	key        K
	value      V
	prev, next *entry[K, V]
}

func newTable[K comparable, V any](limit int) *table[K, V] {
	t := &table[K, V]{at: make(map[K]*entry[K, V]), max: limit}
	t.ends.prev, t.ends.next = &t.ends, &t.ends
	return t
}

func (t *table[K, V]) len() int { return len(t.at) }

// get is k's value, to be changed in place, or nil.
func (t *table[K, V]) get(k K) *V {
	if e := t.at[k]; e != nil {
		return &e.value
	}
	return nil
}

// put sets k, as the newest if it was not there. It reports whether the oldest
// entry had to go.
func (t *table[K, V]) put(k K, v V) (dropped bool) {
	if e := t.at[k]; e != nil {
		e.value = v
		return false
	}
	if len(t.at) >= t.max {
		t.remove(t.ends.next.key)
		dropped = true
	}
	e := t.free
	if e != nil {
		t.free = e.next
	} else {
		e = new(entry[K, V])
	}
	e.key, e.value = k, v
	e.prev, e.next = t.ends.prev, &t.ends
	e.prev.next, e.next.prev = e, e
	t.at[k] = e
	return dropped
}

func (t *table[K, V]) remove(k K) {
	e := t.at[k]
	if e == nil {
		return
	}
	delete(t.at, k)
	e.prev.next, e.next.prev = e.next, e.prev
	var none entry[K, V]
	*e = none
	e.next = t.free
	t.free = e
}
