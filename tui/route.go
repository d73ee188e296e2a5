package tui

import (
	"fmt"
	"strings"
	"unicode"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/prompt"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// route hands a message to whom it belongs, in this order: quitting; whoever
// has the keyboard; the screen, then the global keys; the mouse by place;
// everything else to all.
func (a *app) route(msg tea.Msg) tea.Cmd {
	if cmd, done := a.intent(msg); done {
		return cmd
	}
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return a.press(msg)
	case tea.PasteMsg:
		if a.bar.Editing() {
			return a.bar.Update(msg)
		}
		return nil
	case tea.MouseMsg:
		return a.mouse(msg)
	case tea.WindowSizeMsg:
		return a.resize(msg.Width, msg.Height)
	case tea.BackgroundColorMsg:
		return a.ground(msg)
	case tea.ColorProfileMsg:
		return a.profile(msg.Profile)
	case opened:
		a.engine.gone, a.engine.err = false, nil
		return nextStatus(a.ctx, msg.ch, 0)
	case status:
		return a.heard(msg)
	case silent:
		a.engine.quiet = true
		return nextStatus(a.ctx, msg.ch, 0)
	case gone:
		a.engine.gone, a.engine.err = true, msg.err
		return openFeed(a.ctx, a.opts.Feed, retry)
	case minute:
		cmds := []tea.Cmd{nextMinute(a.ctx, a.opts.Now())}
		if !a.engine.paused { // a window that follows the clock has moved
			cmds = append(cmds, a.screens[a.at].pane.Update(pane.Changed{}))
		}
		return tea.Batch(cmds...)
	}
	return a.broadcast(msg)
}

func (a *app) broadcast(msg tea.Msg) tea.Cmd {
	cmds := []tea.Cmd{a.bar.Update(msg)}
	for _, s := range a.screens {
		if s.pane != nil {
			cmds = append(cmds, s.pane.Update(msg))
		}
	}
	return tea.Batch(cmds...)
}

// heard takes in what the engine says.
func (a *app) heard(s status) tea.Cmd {
	e := &a.engine
	// What is counted is stored a little later: the statuses that follow tell
	// of that and count the same.
	changed := !e.known || e.Activities != s.Activities || e.Processes != s.Processes
	if changed {
		e.settling = settle
	} else if e.settling > 0 {
		e.settling--
		changed = true
	}
	e.Status, e.known, e.quiet, e.gone = s.Status, true, false, false
	shown := a.screens[a.at].pane
	cmds := []tea.Cmd{nextStatus(a.ctx, s.ch, pace), shown.Update(s.Status)}
	if changed && !e.paused {
		cmds = append(cmds, shown.Update(pane.Changed{}))
	}
	return tea.Batch(cmds...)
}

func (a *app) press(msg tea.KeyPressMsg) tea.Cmd {
	if msg.String() == "ctrl+c" {
		return tea.Quit
	}
	if msg.Mod.Contains(tea.ModAlt) && msg.Code != tea.KeyBackspace {
		return a.escaped(msg)
	}
	switch {
	case a.help != nil:
		return a.help.Update(msg)
	case a.bar.Editing():
		return a.bar.Update(msg)
	case a.tooSmall():
		return a.global(msg)
	}
	a.said = ""
	current := a.screens[a.at].pane
	if key.Matches(msg, current.Keys()...) {
		return current.Update(msg)
	}
	return a.global(msg)
}

// escaped takes esc and a key that reached us in one packet, which is how
// terminals write alt and that key, for what they were: there are no keys with
// alt here.
func (a *app) escaped(msg tea.KeyPressMsg) tea.Cmd {
	msg.Mod &^= tea.ModAlt
	if key := msg.Key(); msg.Text == "" && key.Mod&^tea.ModShift == 0 && unicode.IsPrint(key.Code) {
		msg.Text = string(key.Code)
		if key.ShiftedCode != 0 {
			msg.Text = string(key.ShiftedCode)
		}
	}
	if a.help != nil || a.bar.Editing() {
		a.bar.Close()
		a.help = nil
		return a.press(msg)
	}
	return tea.Batch(a.press(prompt.Press("esc")), a.press(msg))
}

func (a *app) global(msg tea.KeyPressMsg) tea.Cmd {
	k, w, now := &a.keys, a.scope.window, a.opts.Now()
	switch {
	case key.Matches(msg, k.Quit):
		return tea.Quit
	case key.Matches(msg, k.Suspend):
		return tea.Suspend
	case key.Matches(msg, k.Redraw):
		return tea.ClearScreen
	case key.Matches(msg, k.Screens):
		return a.choose(msg.String())
	case key.Matches(msg, k.Filter):
		return a.bar.Open(a.scope.text, a.shared())
	case key.Matches(msg, k.Clear):
		return a.refilter("", nil)
	case key.Matches(msg, k.Pause):
		return a.pause()
	case key.Matches(msg, k.Closer):
		return a.rewindow(w.Zoomed(true, w.Middle()))
	case key.Matches(msg, k.Wider):
		return a.rewindow(w.Zoomed(false, w.Middle()))
	case key.Matches(msg, k.Earlier):
		return a.rewindow(w.Panned(false, now))
	case key.Matches(msg, k.Later):
		return a.rewindow(w.Panned(true, now))
	case key.Matches(msg, k.Now):
		return a.rewindow(pane.Window{Span: w.Span})
	case key.Matches(msg, k.Undo):
		return a.undo()
	case key.Matches(msg, k.Redo):
		return a.redo()
	case key.Matches(msg, k.Help):
		current := a.screens[a.at]
		a.help = prompt.NewHelp(a.styles, current.name, current.pane.Keys(), a.keys.all())
	}
	return nil
}

func (a *app) pause() tea.Cmd {
	e := &a.engine
	e.paused = !e.paused
	if e.paused {
		e.pausedAt = e.Activities
		a.said = "paused: everything is still recorded · p goes on"
		return nil
	}
	a.said = "live again"
	return a.screens[a.at].pane.Update(pane.Changed{})
}

func (a *app) mouse(msg tea.MouseMsg) tea.Cmd {
	m := msg.Mouse()
	_, click := msg.(tea.MouseClickMsg)
	switch {
	case a.help != nil || a.tooSmall():
		return nil
	case m.Y == 0 && click:
		if i, ok := a.tabAt(m.X); ok {
			return a.show(i)
		}
		return nil
	case m.Y == 1 && click:
		return a.bar.Open(a.scope.text, a.shared())
	case a.bar.Editing() || m.Y < bodyTop || m.Y >= a.h-bodyBottom:
		return nil
	}
	m.Y -= bodyTop
	switch msg.(type) {
	case tea.MouseClickMsg:
		return a.screens[a.at].pane.Update(tea.MouseClickMsg(m))
	case tea.MouseWheelMsg:
		return a.screens[a.at].pane.Update(tea.MouseWheelMsg(m))
	}
	return nil
}

func (a *app) resize(w, h int) tea.Cmd {
	a.w, a.h = w, h
	for _, s := range a.screens {
		if s.pane != nil {
			s.pane.Resize(w, max(h-bodyTop-bodyBottom, 0))
		}
	}
	return tea.Batch(a.show(a.at), a.screens[a.at].pane.Update(pane.Changed{}))
}

// ground answers the terminal's background colour, unless the theme was chosen.
func (a *app) ground(msg tea.BackgroundColorMsg) tea.Cmd {
	if k := a.styles.Kind; a.opts.Theme != "" && a.opts.Theme != "auto" || k != theme.Dark && k != theme.Light {
		return nil
	}
	return a.restyle(theme.Ground(msg.Color))
}

// profile answers what colours the terminal has.
func (a *app) profile(p colorprofile.Profile) tea.Cmd {
	if a.opts.Theme != "" && a.opts.Theme != "auto" {
		return nil
	}
	switch {
	case p <= colorprofile.Ascii:
		return a.restyle(theme.Mono)
	case p == colorprofile.ANSI:
		return a.restyle(theme.Sixteen)
	}
	return nil
}

func (a *app) restyle(kind theme.Kind) tea.Cmd {
	if kind == a.styles.Kind {
		return nil
	}
	a.styles = theme.New(kind, a.opts.ASCII)
	return a.broadcast(a.styles)
}

// lightGround reports whether COLORFGBG says that the ground is light: its
// last part is the background's number.
func lightGround(environ []string) bool {
	v := variable(environ, "COLORFGBG")
	ground := v[strings.LastIndexByte(v, ';')+1:]
	return ground == "7" || ground == "15"
}

// asciiLocale reports whether the locale (locale(7)) names another character
// set than UTF-8. One that is not set names none.
func asciiLocale(environ []string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(variable(environ, name)); v != "" {
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return false
}

// drawable refuses terminals that know no cursor.
func drawable(environ []string) error {
	if term := variable(environ, "TERM"); term == "" || term == "dumb" {
		return fmt.Errorf("%w: TERM is %q; set TERM to what it is, as xterm-256color, or list with gumshoe activity", ErrTerminal, term)
	}
	return nil
}

func variable(environ []string, name string) string {
	value := ""
	for _, e := range environ { // the last one counts
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			value = v
		}
	}
	return value
}

// still drops what the console never looks at before it costs a frame: the
// mouse passing by.
func still(_ tea.Model, msg tea.Msg) tea.Msg {
	if _, ok := msg.(tea.MouseMotionMsg); ok {
		return nil
	}
	return msg
}
