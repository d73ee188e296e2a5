package event

const categorySyscall = 512

// categoryNames are evt.category by the low bits of an event's category.
var categoryNames = [...]string{
	"unknown", "other", "file", "net", "IPC", "memory", "process", "sleep",
	"system", "signal", "user", "time", "processing",
}

// category is evt.category. Reads, writes and other calls on any descriptor
// belong to what is behind it.
func (e *Event) category() string {
	info, ok := e.Type.Info()
	if !ok {
		return categoryNames[0]
	}
	const io, wait, scheduler, internal = 32, 64, 128, 256
	switch c := info.Category & (categorySyscall - 1); {
	case c == io || c == io+1 || c == io+2:
		return e.ioCategory()
	case c == wait:
		return "wait"
	case c == scheduler:
		return "scheduler"
	case c == internal:
		return "internal"
	case int(c) < len(categoryNames):
		return categoryNames[c]
	}
	return categoryNames[0]
}

func (e *Event) ioCategory() string {
	if e.FD == nil {
		return categoryNames[0]
	}
	switch k := e.FD.Kind; {
	case k == FDFile || k == FDFileV2 || k == FDDirectory:
		return "file"
	case k.IsInet():
		return "net"
	case k == FDUnix || k == FDFifo || k == FDEvent || k == FDSignal || k == FDInotify || k == FDTimer:
		return "ipc"
	}
	return categoryNames[0]
}

// errorClass is the evt.count.error.* field that counts e when it failed.
func (e *Event) errorClass() uint16 {
	switch e.category() {
	case "file":
		return evtCountErrorFile
	case "net":
		return evtCountErrorNet
	case "memory":
		return evtCountErrorMemory
	}
	return evtCountErrorOther
}
