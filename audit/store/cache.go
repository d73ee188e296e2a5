package store

// cache is a bounded map: when the young half is full it becomes the old one,
// and what is used moves back. The zero value is empty and keeps nothing past
// twice max entries.
type cache[K comparable, V any] struct {
	young, old map[K]V
	max        int // entries of one half
}

func newCache[K comparable, V any](max int) *cache[K, V] {
	return &cache[K, V]{young: map[K]V{}, max: max}
}

func (c *cache[K, V]) get(k K) (V, bool) {
	v, ok := c.young[k]
	if ok {
		return v, true
	}
	if v, ok = c.old[k]; ok {
		c.put(k, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(k K, v V) {
	if len(c.young) >= c.max {
		c.old, c.young = c.young, make(map[K]V, c.max)
	}
	c.young[k] = v
}

func (c *cache[K, V]) clear() { c.young, c.old = map[K]V{}, nil }
