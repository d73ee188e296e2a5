package kernel

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gumshoe-ir/gumshoe/event"
)

// Another thread rewrites the address while connect runs: the tuple is the
// kernel's, and where the address that is told differs from it, it is raced.
func TestConnectRacedByAnotherThread(t *testing.T) {
	addr := []byte{unix.AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	a, b := udpPort(t), udpPort(t)
	ev := watch(t, Options{Only: []string{"sys_exit", "call_connect"}}, func() {
		stop, done := make(chan bool), make(chan bool)
		go func() {
			defer close(done)
			one, two := []byte{byte(a >> 8), byte(a)}, []byte{byte(b >> 8), byte(b)}
			for {
				select {
				case <-stop:
					return
				default:
					copy(addr[2:], one)
					copy(addr[2:], two)
				}
			}
		}()
		fd := raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM, 0)
		for range 60000 {
			raw(unix.SYS_CONNECT, fd, addr, len(addr))
		}
		close(stop)
		<-done
	})
	lies := 0
	for _, e := range ev {
		_, reached := tuplePorts(e.Params.At(1))
		said := e.Params.At(3)
		if e.Type != 23 || reached != a && reached != b || len(said) != 7 {
			continue
		}
		lie := reached != uint16(said[5])|uint16(said[6])<<8
		if lie != (e.Origin&event.Raced != 0) {
			t.Fatalf("reached %d, origin %d: %s", reached, e.Origin, show(e.Type, e.Params))
		}
		if lie {
			lies++
		}
	}
	if lies == 0 {
		t.Error("no address changed in time: nothing was tested")
	}
	t.Logf("%d of 60000 addresses were not what was reached", lies)
}

// udpPort is a port of 127.0.0.1 that stays bound during the test.
func udpPort(t *testing.T) uint16 {
	t.Helper()
	fd := must[int](t)(unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0))
	ok(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	t.Cleanup(func() { ok(t, unix.Close(fd)) })
	return local(t, int64(fd)).Port()
}
