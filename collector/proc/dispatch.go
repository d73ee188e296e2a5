package proc

import "github.com/gumshoe-ir/gumshoe/event"

// handler brings the state of th up to e and names the descriptor e is about.
type handler func(t *Table, th *thread, e *event.Event) *event.FD

// handlers by event type; types without one only use what is known.
var handlers = [event.Known]handler{
	event.SyscallOpenX:           opens(openX, openE),
	event.SyscallCreatX:          opens(creatX, creatE),
	event.SyscallOpenatX:         opens(openatV1X, openatE),
	event.SyscallOpenatV2X:       opens(openatX, openatE),
	event.SyscallOpenat2X:        opens(openat2X, openatE),
	event.SyscallOpenByHandleAtX: opens(byHandleX, openatV1X),

	event.SyscallOpenE:      keepEnter,
	event.SyscallCreatE:     keepEnter,
	event.SyscallOpenatE:    keepEnter,
	event.SyscallOpenatV2E:  keepEnter,
	event.SyscallOpenat2E:   keepEnter,
	event.SyscallExecveV19E: keepEnter,
	event.SocketConnectE:    keepEnter,
	event.SyscallCloseE:     keepEnter,

	event.SocketSocketX:     socketX,
	event.SocketSocketpairX: socketpairX,
	event.SocketBindX:       bindX,
	event.SocketConnectX:    connectX,
	event.SocketAcceptX:     accepts,
	event.SocketAccept4X:    accepts,
	event.SocketAcceptV5X:   accepts,
	event.SocketAccept4V5X:  accepts,
	event.SocketAccept4V6X:  accepts,
	event.SocketSendtoX:     datagrams(2, 4, false),
	event.SocketSendmsgX:    datagrams(2, 4, false),
	event.SocketSendmmsgX:   datagrams(1, 4, false),
	event.SocketRecvX:       datagrams(2, 4, true),
	event.SocketRecvfromX:   datagrams(3, 2, true),
	event.SocketRecvmsgX:    datagrams(5, 3, true),

	event.SyscallDupV1X:      dups(1, -1),
	event.SyscallDup2X:       dups(1, -1),
	event.SyscallDup3X:       dups(1, 3),
	event.SyscallFcntlX:      fcntlX,
	event.SyscallCloseX:      closeX,
	event.SyscallCloseRangeX: closeRangeX,
	event.SyscallPipeX:       pipeX,
	event.SyscallPipe2X:      pipeX,

	event.SyscallEventfdX:       creates(event.FDEvent, -1, -1, 0),
	event.SyscallEventfd2X:      creates(event.FDEvent, -1, 1, closeOnExec),
	event.SyscallSignalfdX:      creates(event.FDSignal, -1, -1, 0),
	event.SyscallSignalfd4X:     creates(event.FDSignal, -1, 1, closeOnExec),
	event.SyscallTimerfdCreateX: creates(event.FDTimer, -1, -1, 0),
	event.SyscallInotifyInitX:   creates(event.FDInotify, -1, -1, 0),
	event.SyscallInotifyInit1X:  creates(event.FDInotify, -1, 1, closeOnExec),
	event.SyscallEpollCreateX:   creates(event.FDEventpoll, -1, -1, 0),
	event.SyscallEpollCreate1X:  creates(event.FDEventpoll, -1, 1, 1),
	event.SyscallUserfaultfdX:   creates(event.FDUserfault, -1, 1, closeOnExec),
	event.SyscallIoUringSetupX:  creates(event.FDIOURing, -1, -1, 0),
	event.SyscallMemfdCreateX:   creates(event.FDMemfd, 1, 2, 1),
	event.SyscallBpfV2X:         bpfX,
	event.SyscallPidfdOpenX:     pidfdOpenX,
	event.SyscallPidfdGetfdX:    pidfdGetfdX,

	event.SyscallRenameatX:  twoDirs,
	event.SyscallRenameat2X: twoDirs,
	event.SyscallLinkatV2X:  twoDirs,

	event.SyscallSetuidX:    sets(1, false),
	event.SyscallSetresuidX: sets(2, false),
	event.SyscallSetreuidX:  sets(2, false),
	event.SyscallSetgidX:    sets(1, true),
	event.SyscallSetresgidX: sets(2, true),
	event.SyscallSetregidX:  sets(2, true),
	event.SyscallCapsetX:    capsetX,
	event.SyscallUnshareX:   unshareX,
	event.SyscallSetnsX:     setnsX,
	event.SyscallSetsidX:    setsidX,
	event.SyscallSetpgidX:   setpgidX,
	event.SyscallChdirX:     chdirX,
	event.SyscallFchdirX:    fchdirX,
	event.SyscallGetcwdX:    getcwdX,
	event.SyscallChrootX:    chrootX,
	event.SyscallPrctlX:     prctlX,
}

// facts are events that make, end or describe what handlers need, and find
// their thread themselves.
var facts = [event.Known]func(t *Table, e *event.Event){
	event.SyscallCloneV20X:  (*Table).clone,
	event.SyscallForkV20X:   (*Table).clone,
	event.SyscallVforkV20X:  (*Table).clone,
	event.SyscallClone3X:    (*Table).clone,
	event.SyscallExecveV19X: (*Table).exec,
	event.SyscallExecveatX:  (*Table).exec,
	event.ProcexitV1E:       (*Table).exit,
	event.ProcexitE:         (*Table).exit,

	event.ContainerE:       (*Table).containerEvent,
	event.ContainerJsonE:   (*Table).containerEvent,
	event.ContainerJsonV2E: (*Table).containerEvent,
	event.AsynceventE:      (*Table).containerEvent,
	event.UserAddedE:       (*Table).userEvent,
	event.UserDeletedE:     (*Table).userEvent,
	event.GroupAddedE:      (*Table).userEvent,
	event.GroupDeletedE:    (*Table).userEvent,
}
