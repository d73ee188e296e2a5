package bpf

func (c call) native() int { return c.x86 }
func (c call) compat() int { return c.ia32 }
