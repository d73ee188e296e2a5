package store

import (
	"database/sql/driver"
	"time"

	"github.com/gumshoe-ir/gumshoe/event"
)

// maxLive bounds the processes remembered as alive.
const maxLive = 1 << 16

// state stores the processes that live when a source starts, and ends those
// of an earlier run that are not among them.
func (w *writer) state(p *parcel) error {
	at := p.at
	if at == 0 && len(p.activities) > 0 {
		at = p.activities[0].ID.NS
	}
	if at == 0 {
		at = uint64(time.Now().UnixNano())
	}
	w.host = p.host
	clear(w.live)
	for _, s := range p.state {
		w.meet(s, p.host)
	}
	today := day{int64(at / dayNS), p.host}
	list, err := days(w.db.opt.Dir)
	if err != nil {
		return err
	}
	last := day{date: -1}
	for _, d := range list {
		if d.host == p.host && d.date < today.date && d.date > last.date {
			last = d
		}
	}
	if last.date >= 0 {
		if err := w.endMissing(last); err != nil {
			return err
		}
	}
	if err := w.endMissing(today); err != nil {
		return err
	}
	f := w.files[today]
	for _, s := range p.state {
		if _, err := f.names.process(s, snapshotTime(s, today, at)); err != nil {
			return &fileError{today, err}
		}
	}
	return nil
}

// snapshotTime is since when s is known to have been so, on d.
func snapshotTime(s *event.Process, d day, at uint64) uint64 {
	if t := max(s.CloneTime, s.ExecTime); t > 0 && t < at {
		return max(t, d.start())
	}
	return at
}

// endMissing ends the processes of d's file that are not alive, at the last
// instant of which the file tells.
func (w *writer) endMissing(d day) error {
	f, err := w.file(d)
	if err != nil {
		return err
	}
	row, err := f.c.integer("select max(id) from activity")
	if err != nil {
		return &fileError{d, err}
	}
	last := d.start() + uint64(row>>16)
	var gone []event.ProcessKey
	err = f.c.each("select pid, start from life where exit = 0", nil, func(row []driver.Value) error {
		k := event.ProcessKey{PID: int32(row[0].(int64)), StartBoot: uint64(row[1].(int64))}
		if w.live[k] == nil {
			gone = append(gone, k)
		}
		return nil
	})
	for _, k := range gone {
		if err != nil {
			break
		}
		_, _, err = f.c.run("update life set exit = max(begin, ?), guessed = 1 where pid = ? and start = ?",
			int64(last), int64(k.PID), int64(k.StartBoot))
	}
	if err != nil {
		return &fileError{d, err}
	}
	return nil
}

// meet remembers p as alive.
func (w *writer) meet(p *event.Process, host uint32) {
	if p == nil || p.ExitTime != 0 || host != w.host {
		return
	}
	k := p.Key(0)
	if _, ok := w.live[k]; ok || len(w.live) < maxLive {
		w.live[k] = p
	}
}

// lives stores what p says of processes besides activities.
func (w *writer) lives(p *parcel) error {
	for _, f := range p.forks {
		w.young = append(w.young, fork{f, max(p.at, f.CloneTime)})
	}
	for _, e := range p.exits {
		delete(w.live, event.ProcessKey{PID: e.key.PID, StartBoot: e.key.StartBoot})
		w.dropYoung(e.key)
		if err := w.exit(e); err != nil {
			return err
		}
	}
	if p.at == 0 {
		return nil
	}
	d := day{int64(p.at / dayNS), p.host}
	grown := 0
	for grown < len(w.young) && w.young[grown].at+forkAge <= p.at {
		grown++
	}
	if grown == 0 && len(p.containers) == 0 {
		return nil
	}
	f, err := w.file(d)
	if err != nil {
		return err
	}
	for _, y := range w.young[:grown] {
		if _, err := f.names.process(y.p, snapshotTime(y.p, d, p.at)); err != nil {
			return &fileError{d, err}
		}
		w.meet(y.p, p.host)
	}
	w.young = append(w.young[:0], w.young[grown:]...)
	for _, c := range p.containers {
		if _, err := f.names.container(c); err != nil {
			return &fileError{d, err}
		}
	}
	return nil
}

func (w *writer) dropYoung(k event.ProcessKey) {
	for i := range w.young {
		if y := w.young[i].p; y.PID == k.PID && y.StartBoot == k.StartBoot {
			w.young = append(w.young[:i], w.young[i+1:]...)
			return
		}
	}
}

func (w *writer) exit(e exit) error {
	d := day{int64(e.ns / dayNS), e.key.Host}
	f, err := w.file(d)
	if err != nil {
		return err
	}
	if err := f.names.exit(e.key, e.ns); err != nil {
		return &fileError{d, err}
	}
	return nil
}

// carry brings the living into a day that begins, so that each file tells its
// whole day.
func (w *writer) carry(f *file) error {
	if f.day.host != w.host {
		return nil
	}
	for _, p := range w.live {
		if t := max(p.CloneTime, p.ExecTime, f.day.start()); t < f.day.end() {
			if _, err := f.names.process(p, t); err != nil {
				return &fileError{f.day, err}
			}
		}
	}
	return nil
}
