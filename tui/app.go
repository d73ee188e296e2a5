// Package tui is the console: one filter, one window of time and one selection
// over several screens, live or scrolled back. It asks an engine through small
// interfaces, shows nothing hostile raw, and acts on nothing by itself.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/gumshoe-ir/gumshoe/audit"
	"github.com/gumshoe-ir/gumshoe/event"
	"github.com/gumshoe-ir/gumshoe/tui/pane"
	"github.com/gumshoe-ir/gumshoe/tui/prompt"
	"github.com/gumshoe-ir/gumshoe/tui/theme"
)

// Options say what the console shows and where.
type Options struct {
	Trail   audit.Trail
	Feed    Feed
	Theme   string           // auto, dark, light, 16 or mono; empty means auto
	ASCII   bool             // no boxes and blocks
	Filter  string           // to begin with
	Window  time.Duration    // to begin with; 0 means 15 minutes, negative everything
	Now     func() time.Time // nil means time.Now
	Input   io.Reader        // nil means the terminal
	Output  io.Writer        // nil means standard output
	Environ []string         // nil means the process's own
}

// ErrTerminal says that the terminal cannot be drawn on.
var ErrTerminal = errors.New("cannot draw on this terminal")

// Run shows the console until the user quits or ctx ends. A terminal that
// cannot be drawn on is ErrTerminal.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if err := drawable(o.Environ); err != nil {
		return err
	}
	a, err := newApp(ctx, o)
	if err != nil {
		return err
	}
	opts := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithFPS(120), tea.WithFilter(still), tea.WithEnvironment(o.Environ),
	}
	if o.Input != nil {
		opts = append(opts, tea.WithInput(o.Input))
	}
	if o.Output != nil {
		opts = append(opts, tea.WithOutput(o.Output))
	}
	_, err = tea.NewProgram(a, opts...).Run()
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic) {
		return nil // ended from outside, terminal restored
	}
	if err != nil {
		return fmt.Errorf("run the console: %w", err)
	}
	return nil
}

// app is the root model: it owns what all screens share and routes messages.
type app struct {
	ctx     context.Context // of the program: commands end with it
	opts    Options
	styles  *theme.Styles
	keys    keys
	screens []screen
	at      int // the screen shown
	bar     *prompt.Bar
	help    *prompt.Help // nil when closed
	scope   scope
	engine  engine
	w, h    int
	said    string // the status row
	view    string
}

func newApp(ctx context.Context, o Options) (*app, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	kind := theme.Dark
	if o.Theme != "" && o.Theme != "auto" {
		var err error
		if kind, err = theme.Parse(o.Theme); err != nil {
			return nil, err
		}
	} else if lightGround(o.Environ) {
		kind = theme.Light
	}
	o.ASCII = o.ASCII || asciiLocale(o.Environ)
	a := &app{ctx: ctx, opts: o, styles: theme.New(kind, o.ASCII), keys: defaultKeys()}
	a.screens = newScreens(ctx, a.styles, o.Trail)
	a.at = 2
	a.bar = prompt.NewBar(ctx, a.styles, o.Trail)
	a.scope.window.Span = 15 * time.Minute
	if o.Window != 0 {
		a.scope.window.Span = max(o.Window, 0)
	}
	if o.Filter != "" {
		node, err := prompt.Parse(o.Filter)
		if err != nil {
			return nil, fmt.Errorf("filter: %w", err)
		}
		a.scope.text, a.scope.node = o.Filter, node
	}
	return a, nil
}

// Init implements tea.Model.
func (a *app) Init() tea.Cmd {
	cmds := []tea.Cmd{openFeed(a.ctx, a.opts.Feed, 0), nextMinute(a.ctx, a.opts.Now())}
	if a.opts.Theme == "" || a.opts.Theme == "auto" {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	if variable(a.opts.Environ, "SSH_TTY") != "" {
		cmds = append(cmds, synchronized)
	}
	return tea.Batch(cmds...)
}

// synchronized has frames written as one piece (mode 2026). The program asks a
// terminal at the other end of ssh nothing, and one that does not know the mode
// ignores it.
func synchronized() tea.Msg {
	return tea.ModeReportMsg{Mode: ansi.ModeSynchronizedOutput, Value: ansi.ModeReset}
}

// Update implements tea.Model.
func (a *app) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := a.route(msg)
	if a.w > 0 && !a.tooSmall() {
		a.view = a.draw()
	} else if a.w > 0 {
		a.view = a.card()
	}
	return a, cmd
}

// View implements tea.Model. It is the same string until something on the
// screen differs, which is what keeps an idle console silent.
func (a *app) View() tea.View {
	v := tea.NewView(a.view)
	v.AltScreen = true
	v.MouseMode = tea.MouseModeCellMotion
	return v
}

// engine is what is known of the other side.
type engine struct {
	event.Status
	known    bool
	gone     bool
	quiet    bool
	err      error
	paused   bool
	pausedAt uint64 // activities stored when the screen was paused
	count    pane.Counted
	counted  bool
	settling int // statuses until all that was counted is stored
}

// intent does what a pane wants. This switch is the list of what the console
// can do for one.
func (a *app) intent(msg tea.Msg) (tea.Cmd, bool) {
	switch msg := msg.(type) {
	case pane.Narrow:
		return a.narrow(msg), true
	case pane.Say:
		a.said = msg.Text
	case pane.Yank:
		return a.yank(msg), true
	case pane.Counted:
		a.engine.count, a.engine.counted = msg, true
	case prompt.Accepted:
		a.bar.Close()
		return a.refilter(msg.Text, msg.Node), true
	case prompt.Cancelled:
		a.bar.Close()
		a.help = nil
	case prompt.Chosen:
		a.help = nil
		return a.press(msg.Key), true
	default:
		return nil, false
	}
	return nil, true
}
