package audit

import "github.com/gumshoe-ir/gumshoe/event"

// handlers say what becomes an activity:
//
//   - Commands: every exec, ended by the exit of its process or by its next
//     exec; failed execs, except the steps of a search in PATH.
//   - Connections: connect, accept, listen and bind of IP sockets, the first
//     datagram to or from a peer; connect to the unix socket of a container
//     runtime. Left out are calls that would block, and datagram connects to
//     port 0, by which resolvers choose a source address.
//   - Files: opens for writing, creations, unlink, rename, link, symlink,
//     mkdir, rmdir, chmod, chown, and reads of sensitive files. Those that
//     failed only when somebody was refused (EACCES, EPERM, EROFS). Left out
//     are terminals, /dev/null and its like, and the files of /proc, /sys and
//     cgroups except those that change the kernel or another process (quiet).
//   - System: user and group ids and capabilities that really changed, setns,
//     unshare, ptrace that takes hold of or writes to a process, bpf programs
//     and links, modules, mounts, memfd, userfaultfd, chroot, and signals to
//     other processes.
//
// Results are 0 or a positive errno; a command that ended has its wait status.
// Repetitions within a minute of the first are one activity with a count.
var handlers = [event.Known]func(*Sessions, *event.Event){
	event.SyscallCloneV20X:  (*Sessions).forked,
	event.SyscallForkV20X:   (*Sessions).forked,
	event.SyscallVforkV20X:  (*Sessions).forked,
	event.SyscallClone3X:    (*Sessions).forked,
	event.SyscallExecveV19X: (*Sessions).execed,
	event.SyscallExecveatX:  (*Sessions).execed,
	event.ProcexitV1E:       (*Sessions).exited,
	event.ProcexitE:         (*Sessions).exited,

	event.SocketConnectX:   (*Sessions).connected,
	event.SocketAcceptV5X:  (*Sessions).accepted,
	event.SocketAccept4V5X: (*Sessions).accepted,
	event.SocketAccept4V6X: (*Sessions).accepted,
	event.SocketListenX:    (*Sessions).listened,
	event.SocketBindX:      (*Sessions).bound,
	event.SyscallCloseX:    (*Sessions).closed,
	event.SocketSendtoX:    datagram("send", 4),
	event.SocketSendmsgX:   datagram("send", 4),
	event.SocketSendmmsgX:  datagram("send", 4),
	event.SocketRecvfromX:  datagram("recv", 2),
	event.SocketRecvmsgX:   datagram("recv", 3),

	event.SyscallOpenX:           (*Sessions).opened,
	event.SyscallCreatX:          (*Sessions).opened,
	event.SyscallOpenatX:         (*Sessions).opened,
	event.SyscallOpenatV2X:       (*Sessions).opened,
	event.SyscallOpenat2X:        (*Sessions).opened,
	event.SyscallOpenByHandleAtX: (*Sessions).opened,

	event.SyscallUnlinkV2X:   changes("unlink", 1, -1, -1),
	event.SyscallUnlinkatV2X: (*Sessions).unlinkedAt,
	event.SyscallRmdirV2X:    changes("rmdir", 1, -1, -1),
	event.SyscallMkdirV2X:    changes("mkdir", 1, -1, 2),
	event.SyscallMkdiratX:    changes("mkdir", 2, -1, 3),
	event.SyscallRenameX:     changes("rename", 1, 2, -1),
	event.SyscallRenameatX:   changes("rename", 2, 4, -1),
	event.SyscallRenameat2X:  changes("rename", 2, 4, -1),
	event.SyscallLinkV2X:     changes("link", 2, 1, -1),
	event.SyscallLinkatV2X:   changes("link", 4, 2, -1),
	event.SyscallSymlinkX:    (*Sessions).symlinked,
	event.SyscallSymlinkatX:  (*Sessions).symlinked,
	event.SyscallChmodX:      changes("chmod", 1, -1, 2),
	event.SyscallFchmodatX:   changes("chmod", 2, -1, 3),
	event.SyscallFchmodX:     (*Sessions).changedByFD,
	event.SyscallChownX:      changes("chown", 1, -1, 2),
	event.SyscallLchownX:     changes("chown", 1, -1, 2),
	event.SyscallFchownatX:   changes("chown", 2, -1, 3),
	event.SyscallFchownX:     (*Sessions).changedByFD,

	event.SyscallSetuidX:       becomes("setuid", 1, -1),
	event.SyscallSetreuidX:     becomes("setuid", 2, -1),
	event.SyscallSetresuidX:    becomes("setuid", 2, -1),
	event.SyscallSetgidX:       becomes("setgid", -1, 1),
	event.SyscallSetregidX:     becomes("setgid", -1, 2),
	event.SyscallSetresgidX:    becomes("setgid", -1, 2),
	event.SyscallCapsetX:       (*Sessions).capset,
	event.SyscallSetnsX:        (*Sessions).setns,
	event.SyscallUnshareX:      (*Sessions).unshare,
	event.SyscallPtraceX:       (*Sessions).ptrace,
	event.SyscallBpfV2X:        (*Sessions).bpf,
	event.SyscallInitModuleX:   module("init_module", 3),
	event.SyscallFinitModuleX:  module("finit_module", 2),
	event.SyscallDeleteModuleX: module("delete_module", 1),
	event.SyscallMountX:        (*Sessions).mounted,
	event.SyscallUmountV1X:     system("umount", 1),
	event.SyscallUmount2X:      system("umount", 1),
	event.SyscallChrootX:       system("chroot", 1),
	event.SyscallMemfdCreateX:  (*Sessions).memfd,
	event.SyscallUserfaultfdX:  system("userfaultfd", -1),
	event.SyscallKillX:         signals(1, 2),
	event.SyscallTkillX:        signals(1, 2),
	event.SyscallTgkillX:       signals(1, 3),
}
