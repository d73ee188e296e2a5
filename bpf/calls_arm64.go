package bpf

func (c call) native() int { return c.arm64 }
func (c call) compat() int { return c.arm32 }
