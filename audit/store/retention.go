package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

var errNoSpace = errors.New("disk full")

// space fails when less of the disk is free than others were promised.
func (w *writer) space() error {
	var fs unix.Statfs_t
	if err := unix.Statfs(w.db.opt.Dir, &fs); err != nil {
		return fmt.Errorf("look for free space: %w", err)
	}
	if fs.Bavail*uint64(fs.Bsize) < w.db.minFree.Load() {
		return errNoSpace
	}
	return nil
}

// retain unlinks the oldest days beyond what may be kept; never today's nor
// the newest.
func (w *writer) retain() {
	w.kept = time.Now()
	if err := w.unlinkOld(time.Now()); err != nil {
		w.db.note("retention", "store cannot forget old days: "+err.Error())
		return
	}
	w.db.note("retention", "")
}

func (w *writer) unlinkOld(now time.Time) error {
	opt := &w.db.opt
	list, err := days(opt.Dir)
	if err != nil || opt.Days == 0 && opt.MaxBytes == 0 {
		return err
	}
	today := now.Unix() / 86400
	var total uint64
	sizes := make([]uint64, len(list))
	for i, d := range list {
		sizes[i] = size(filepath.Join(opt.Dir, d.name()))
		total += sizes[i]
	}
	for i, d := range list {
		old := opt.Days > 0 && d.date <= today-int64(opt.Days)
		big := opt.MaxBytes > 0 && total > opt.MaxBytes
		if !old && !big || d.date >= today || d.date == list[len(list)-1].date {
			continue
		}
		w.forgetFile(d)
		w.db.readers.drop(d.name())
		for _, p := range parts(filepath.Join(opt.Dir, d.name())) {
			if err := os.Remove(p); err != nil && !os.IsNotExist(err) {
				return err
			}
		}
		total -= sizes[i]
	}
	return nil
}
