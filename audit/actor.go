package audit

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/gumshoe-ir/gumshoe/event"
)

// actors knows the session of each process, from its birth on: what a parent
// started belongs to the parent's session, also when the parent is gone.
//
// A process is the root of a session when
//   - it is in a container and its parent is not in the same one: a container's
//     first process, or one that docker exec, CRI or nsenter put there;
//   - its parent is pid 1 or a systemd of a user: a service, a console login;
//   - it is the first below a daemon that opens sessions (sshd, cron, …): the
//     sshd process of one connection, the cron process of one job;
//   - its login uid differs from its parent's: any other login;
//   - its parent is unknown.
//
// su and sudo stay in the session that called them. A daemon that went to pid
// 1 before we began to look is a root of its own; its session's id then
// differs from the one it would have had.
type actors struct {
	byKey *table[event.ProcessKey, actor]
	boot  uint64 // hash of the boot id
	host  uint32
	uids  map[uint32]string
}

// actor is what is known of a process besides its snapshots.
type actor struct {
	session   event.SessionID
	container string
	loginUID  uint32
	uid, gid  uint32
	caps      uint64 // effective
	daemon    bool   // the session's root is one of a session daemon
}

const maxUIDs = 4096

func newActors(bootID string) *actors {
	return &actors{
		byKey: newTable[event.ProcessKey, actor](maxActors),
		boot:  hashBytes(fnvOffset, []byte(strings.TrimSpace(bootID))),
		uids:  map[uint32]string{},
	}
}

// session is the session of p.
func (t *actors) session(p *event.Process) event.SessionID { return t.of(p).session }

// of is p's actor, found from its ancestors when p is new.
func (t *actors) of(p *event.Process) *actor {
	k := p.Key(t.host)
	if a := t.byKey.get(k); a != nil {
		return a
	}
	root, inherited := t.root(p)
	a := actor{loginUID: p.LoginUID, uid: p.UID, gid: p.GID, caps: p.CapEff, container: containerID(p)}
	if inherited != nil {
		a.session, a.daemon = inherited.session, inherited.daemon
	} else {
		a.session, a.daemon = t.id(root), isSessionDaemon(root)
	}
	t.byKey.put(k, a)
	return t.byKey.get(k)
}

// root walks from p to the root of its session, or to an ancestor whose
// session is known.
func (t *actors) root(p *event.Process) (*event.Process, *actor) {
	for range maxAncestors {
		if isRoot(p) {
			return p, nil
		}
		p = p.Parent
		if a := t.byKey.get(p.Key(t.host)); a != nil {
			return nil, a
		}
	}
	return p, nil
}

func isRoot(p *event.Process) bool {
	up := p.Parent
	if up == nil || up == p || up.PID == p.PID {
		return true
	}
	if p.Container != nil && containerID(up) != p.Container.ID {
		return true
	}
	if up.PID == 1 || up.VPID == 1 && up.Container != nil && up.Name == "systemd" || isUserManager(up) {
		return true
	}
	if isSessionDaemon(up) {
		return isSessionDaemon(p) && (up.Parent == nil || !isSessionDaemon(up.Parent))
	}
	return p.LoginUID != event.NoID && p.LoginUID != up.LoginUID
}

// isSessionDaemon reports whether p is one of the programs below which each
// child is a login or a job of its own. The kernel's path counts where it is
// known: a process can choose its name.
func isSessionDaemon(p *event.Process) bool {
	name := p.ExePath[strings.LastIndexByte(p.ExePath, '/')+1:]
	if name == "" {
		name = p.Name
	}
	switch name {
	case "sshd", "sshd-session", "sshd-auth", "dropbear", "cron", "crond", "atd", "login":
		return true
	}
	return false
}

func isUserManager(p *event.Process) bool {
	return p.Name == "systemd" && len(p.Args) > 0 && p.Args[0] == "--user"
}

func containerID(p *event.Process) string {
	if p.Container == nil {
		return ""
	}
	return p.Container.ID
}

// entered follows p through an exec: the process may now be in a container, or
// somebody may have logged in.
func (t *actors) entered(p *event.Process) *actor {
	a := t.of(p)
	moved := containerID(p) != a.container && p.Container != nil
	login := p.LoginUID != event.NoID && p.LoginUID != a.loginUID && !a.daemon
	if moved || login {
		a.session, a.daemon = t.id(p), false
	}
	a.container, a.loginUID = containerID(p), p.LoginUID
	a.uid, a.gid, a.caps = p.UID, p.GID, p.CapEff
	return a
}

func (t *actors) ended(p *event.Process) { t.byKey.remove(p.Key(t.host)) }

// user is whom to name for what p does: who logged in, else who p runs as,
// else the number.
func (t *actors) user(p *event.Process) string {
	if p.LoginUID != event.NoID && p.LoginUser != "" {
		return p.LoginUser
	}
	uid := p.UID
	if p.LoginUID != event.NoID {
		uid = p.LoginUID
	} else if p.User != nil && p.User.Name != "" {
		return p.User.Name
	}
	if s, ok := t.uids[uid]; ok {
		return s
	}
	if len(t.uids) >= maxUIDs {
		clear(t.uids)
	}
	t.uids[uid] = strconv.FormatUint(uint64(uid), 10)
	return t.uids[uid]
}

// id is the session's name for ever: the same live, after a restart and in
// replay of the same host and boot.
func (t *actors) id(root *event.Process) event.SessionID {
	var b [16]byte
	binary.LittleEndian.PutUint32(b[:], t.host)
	binary.LittleEndian.PutUint32(b[4:], uint32(root.PID))
	binary.LittleEndian.PutUint64(b[8:], root.StartBoot)
	h := hashBytes(t.boot, b[:])
	h ^= h >> 29 // FNV mixes low bits into high ones only
	return event.SessionID(max(h, 1))
}

// FNV-1a, 64 bits (draft-eastlake-fnv).
const (
	fnvOffset = uint64(14695981039346656037)
	fnvPrime  = uint64(1099511628211)
)

func hashBytes(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}
