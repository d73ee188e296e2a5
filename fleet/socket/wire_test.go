package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/google/go-cmp/cmp"

	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/fleet/socket/wire"
)

// fill sets every field of v that the boundary carries to something that is
// not its zero value, so that one forgotten in the encoding shows.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("\xff text " + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n%100 + 1))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n%100 + 1))
	case reflect.Float64:
		v.SetFloat(float64(*n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"k\xff": "v", "l": "w"}))
	case reflect.Struct:
		switch v.Interface().(type) {
		case netip.AddrPort:
			v.Set(reflect.ValueOf(netip.MustParseAddrPort("[2001:db8::2]:443")))
		case netip.Addr:
			v.Set(reflect.ValueOf(netip.MustParseAddr("192.0.2.1")))
		default:
			for i := range v.NumField() {
				fill(v.Field(i), n)
			}
		}
	}
}

var exact = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

func TestEveryFieldCrossesTheBoundary(t *testing.T) {
	n := 0
	p := &event.Process{}
	fill(reflect.ValueOf(p).Elem(), &n)
	p.User, p.Container = &event.User{}, &event.Container{}
	fill(reflect.ValueOf(p.User).Elem(), &n)
	fill(reflect.ValueOf(p.Container).Elem(), &n)
	p.Parent, p.Leader = &event.Process{PID: 1}, &event.Process{PID: 2}
	a := event.Activity{}
	fill(reflect.ValueOf(&a).Elem(), &n)
	a.Process = p

	e, d := newEncoder(), decoder{}
	row := e.activity(&a)
	if err := d.add(e.take(), 0); err != nil {
		t.Fatal(err)
	}
	got, err := d.activity(row)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, got, exact, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("activity, -sent +received:\n%s", diff)
	}
	s := event.Status{}
	fill(reflect.ValueOf(&s).Elem(), &n)
	if diff := cmp.Diff(s, decodeStatus(encodeStatus(&s))); diff != "" {
		t.Errorf("status, -sent +received:\n%s", diff)
	}
}

func TestAddressesCrossTheBoundary(t *testing.T) {
	for _, text := range []string{"192.0.2.1:80", "[::ffff:192.0.2.1]:80", "[2001:db8::1]:0", "0.0.0.0:0"} {
		if a := netip.MustParseAddrPort(text); decodeAddr(encodeAddr(a)) != a {
			t.Errorf("%s became %s", a, decodeAddr(encodeAddr(a)))
		}
	}
	if a := decodeAddr(encodeAddr(netip.AddrPort{})); a.IsValid() {
		t.Errorf("no address became %s", a)
	}
}

func TestAnAnswerMayNameOnlyWhatCameBefore(t *testing.T) {
	for name, p := range map[string]*wire.Process{
		"itself as parent":      {Parent: 1},
		"a later parent":        {Parent: 2},
		"a leader out of reach": {Leader: 2},
		"no such user":          {User: 1},
		"no such container":     {Container: 7},
		"the last number":       {Parent: 1<<32 - 1},
	} {
		var d decoder
		if err := d.add(&wire.Table{Processes: []*wire.Process{p}}, 1); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v, want it refused", name, err)
		}
	}
	var d decoder
	if _, err := d.activity(&wire.Activity{Process: 1}); !errors.Is(err, errMalformed) {
		t.Errorf("a row of no process: %v, want it refused", err)
	}
	if err := d.add(&wire.Table{}, maxStream+1); !errors.Is(err, errMalformed) {
		t.Errorf("too many bytes: %v, want them refused", err)
	}
}

// FuzzPart: no bytes from an engine crash a console or make a cycle.
func FuzzPart(f *testing.F) {
	e := newEncoder()
	shell := &event.Process{PID: 1, Name: "sh", User: &event.User{}, Container: &event.Container{Labels: map[string]string{"a": "b"}}}
	shell.Leader = shell
	part := &wire.PagePart{Rows: []*wire.Activity{e.activity(&event.Activity{Process: &event.Process{Parent: shell}})}, Last: true}
	part.Table = e.take()
	seed, err := proto.Marshal(part)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var part wire.PagePart
		if proto.Unmarshal(b, &part) != nil {
			return
		}
		var d decoder
		if d.add(part.GetTable(), len(b)) != nil {
			return
		}
		for _, w := range part.GetRows() {
			a, err := d.activity(w)
			if err != nil {
				continue
			}
			for p, depth := a.Process, 0; p != nil; p, depth = p.Parent, depth+1 {
				if depth > len(d.processes) {
					t.Fatal("ancestors without end")
				}
			}
		}
	})
}

// stranger is an engine of another version.
type stranger struct{ wire.UnimplementedEngineServer }

func (stranger) Hello(context.Context, *wire.HelloRequest) (*wire.HelloReply, error) {
	return &wire.HelloReply{Protocol: Protocol + 1}, nil
}

func TestAnotherVersionIsRefusedInOneLine(t *testing.T) {
	for name, register := range map[string]func(*grpc.Server){
		"a newer engine": func(s *grpc.Server) { wire.RegisterEngineServer(s, stranger{}) },
		"not an engine":  func(*grpc.Server) {},
	} {
		t.Run(name, func(t *testing.T) {
			engine, console := net.Pipe()
			s := grpc.NewServer()
			register(s)
			var serving sync.WaitGroup
			l := Once(engine)
			serving.Go(func() { s.Serve(l) })
			defer serving.Wait()
			defer s.Stop()
			if _, err := Dial(t.Context(), console, "test"); !errors.Is(err, ErrProtocol) {
				t.Errorf("Dial = %v, want ErrProtocol", err)
			}
		})
	}
}

func TestACallerOfAnotherVersionIsRefused(t *testing.T) {
	engine, console := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := Serve(ctx, Once(engine), Options{Feed: NewFeed(event.Status{})}); err != nil {
			t.Error(err)
		}
	})
	defer serving.Wait()
	defer cancel()
	c, err := Dial(t.Context(), console, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// A call that does not say its protocol, as an older console's.
	if _, err := c.engine.Hello(t.Context(), &wire.HelloRequest{}); !errors.Is(plain(err), ErrProtocol) {
		t.Errorf("Hello = %v, want ErrProtocol", err)
	}
}

func TestNobodyAtTheOtherEndIsAnError(t *testing.T) {
	engine, console := net.Pipe()
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := Dial(ctx, console, "test"); err == nil {
		t.Error("Dial found an engine where there is none")
	}
}
