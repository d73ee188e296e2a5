package bpf

import (
	"testing"

	"github.com/gumshoe-ir/gumshoe/internal/need"
)

func TestEveryProgramLoads(t *testing.T) {
	need.BPF(t)
	s, err := Load(Options{RingBytes: 1 << 20})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
