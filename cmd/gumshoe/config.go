package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// configPath is the configuration that is read when none is named.
const configPath = "/etc/gumshoe/config.yaml"

// maxConfig bounds a configuration file, in bytes.
const maxConfig = 64 << 10

// maxNesting bounds brackets in a file and dashes in a line: the parser's time
// grows with the square of the depth.
const maxNesting = 256

// defaultConfig is the documented default, and the source of every default value.
//
//go:embed default.yaml
var defaultConfig []byte

// config is the configuration file; default.yaml documents it.
type config struct {
	Store struct {
		Dir     string `yaml:"dir"`
		Days    int    `yaml:"days"`
		Size    size   `yaml:"size"`
		MinFree size   `yaml:"min_free"`
		Queue   size   `yaml:"queue"`
	} `yaml:"store"`
	Collect struct {
		Ring     size     `yaml:"ring"`
		Thin     bool     `yaml:"thin"`
		SkipSelf bool     `yaml:"skip_self"`
		Env      []string `yaml:"env"`
	} `yaml:"collect"`
	Containers struct {
		Docker []string `yaml:"docker"`
		CRI    []string `yaml:"cri"`
	} `yaml:"containers"`
	Log struct {
		Level string `yaml:"level"`
		File  string `yaml:"file"`
	} `yaml:"log"`
	Metrics struct {
		Socket string `yaml:"socket"`
	} `yaml:"metrics"`
	Screen struct {
		Theme string `yaml:"theme"`
		ASCII bool   `yaml:"ascii"`
	} `yaml:"screen"`
}

// size is a number of bytes as text, "16MiB".
type size string

// bytes is s as a number.
func (s size) bytes() (uint64, error) {
	digits, shift := string(s), 0
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if d, ok := strings.CutSuffix(digits, unit); ok {
			digits, shift = strings.TrimSpace(d), 10*(i+1)
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is not a size: want bytes, or a number with KiB, MiB, GiB or TiB", string(s))
	}
	return n << shift, nil
}

// n is a size that check has seen.
func (s size) n() uint64 {
	n, err := s.bytes()
	if err != nil {
		return 0
	}
	return n
}

// problem is one line about a place in a configuration file.
type problem struct {
	file      string
	line, col int
	text      string
}

func (p problem) Error() string { return fmt.Sprintf("%s:%d:%d: %s", p.file, p.line, p.col, p.text) }

// load reads the configuration that the flags name, over the defaults. A
// missing file is an error only when it was named.
func (p *program) load() (*config, error) {
	name := p.configFile
	text, err := readBounded(cmpOr(name, configPath), maxConfig)
	if name == "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
		text, err = nil, nil
	}
	if err != nil {
		return nil, usage("read the configuration: %w", err)
	}
	c, err := parseConfig(cmpOr(name, configPath), text)
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	if p.storeDir != "" {
		c.Store.Dir = p.storeDir
	}
	if p.theme != "" {
		c.Screen.Theme = p.theme
	}
	if !isTheme(c.Screen.Theme) {
		return nil, usage("--theme: %q is not a theme: want auto, dark, light, 16 or mono", p.theme)
	}
	c.Screen.ASCII = c.Screen.ASCII || p.ascii
	if c.Store.Dir, err = filepath.Abs(c.Store.Dir); err != nil {
		return nil, usage("find the store: %w", err)
	}
	return c, nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// parseConfig reads text over the defaults. Its error is a problem, or many joined.
func parseConfig(file string, text []byte) (c *config, err error) {
	defer func() { // the YAML library is not ours, and a file must not end us
		if r := recover(); r != nil {
			c, err = nil, problem{file, 1, 1, fmt.Sprintf("the YAML library gave up on it (%v): write it more simply", r)}
		}
	}()
	c = &config{}
	if err := yaml.UnmarshalWithOptions(defaultConfig, c, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read the built-in defaults: %w", err)
	}
	if line := tooDeep(text); line > 0 {
		return nil, problem{file, line, 1, fmt.Sprintf("more than %d brackets or dashes: no configuration is nested so deeply", maxNesting)}
	}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, located(file, err)
	}
	if len(tree.Docs) > 1 {
		return nil, problem{file, firstLineOf(tree.Docs[1]), 1, "one document only"}
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return c, nil // nothing but comments
	}
	if err := yaml.UnmarshalWithOptions(text, c, yaml.Strict()); err != nil {
		return nil, located(file, err)
	}
	return c, c.check(file, tree)
}

// firstLineOf is where a document begins, which may be empty: then at its mark.
func firstLineOf(d *ast.DocumentNode) int {
	if d.Start != nil {
		return d.Start.Position.Line
	}
	if d.Body != nil {
		return d.Body.GetToken().Position.Line
	}
	return 1
}

// tooDeep is the line of text that goes beyond maxNesting, 0 when none does.
func tooDeep(text []byte) int {
	brackets, number := 0, 0
	for line := range bytes.Lines(text) {
		number++
		brackets += bytes.Count(line, []byte("[")) + bytes.Count(line, []byte("{"))
		if brackets > maxNesting || bytes.Count(line, []byte("-")) > maxNesting {
			return number
		}
	}
	return 0
}

// located is a parser's error as a problem.
func located(file string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return problem{file, 1, 1, err.Error()}
	}
	text, _, _ := strings.Cut(at.GetMessage(), "\n")
	var kind *yaml.TypeError
	if errors.As(err, &kind) {
		text = "want " + kindName(kind.DstType.Kind())
	}
	t := at.GetToken()
	if t == nil || t.Position == nil {
		return problem{file, 1, 1, text}
	}
	return problem{file, t.Position.Line, t.Position.Column, text}
}

// kindName is what a value of kind k is called in a file.
func kindName(k reflect.Kind) string {
	switch k {
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "keys and values"
	}
	return "text"
}

// check finds values that the types allow and the meaning does not.
func (c *config) check(file string, tree *ast.File) error {
	var found []error
	report := func(key string, err error) {
		line, col := place(tree, key)
		found = append(found, problem{file, line, col, key + ": " + err.Error()})
	}
	for key, s := range map[string]size{
		"store.size": c.Store.Size, "store.min_free": c.Store.MinFree, "store.queue": c.Store.Queue, "collect.ring": c.Collect.Ring,
	} {
		if _, err := s.bytes(); err != nil {
			report(key, err)
		}
	}
	if n, err := c.Collect.Ring.bytes(); err == nil && (n < 256<<10 || n > 1<<30 || n&(n-1) != 0) {
		report("collect.ring", errors.New("want a power of two from 256KiB to 1GiB"))
	}
	if n, err := c.Store.Queue.bytes(); err == nil && (n < 1<<20 || n > 4<<30) {
		report("store.queue", errors.New("want 1MiB to 4GiB"))
	}
	if c.Store.Dir == "" {
		report("store.dir", errors.New("want a folder"))
	}
	if c.Store.Days < 0 || c.Store.Days > 36500 {
		report("store.days", errors.New("want 0 to 36500"))
	}
	if _, err := c.level(); err != nil {
		report("log.level", err)
	}
	if !isTheme(c.Screen.Theme) {
		report("screen.theme", fmt.Errorf("%q is not a theme: want auto, dark, light, 16 or mono", c.Screen.Theme))
	}
	slices.SortFunc(found, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(found...)
}

func isTheme(name string) bool {
	return slices.Contains([]string{"auto", "dark", "light", "16", "mono"}, name)
}

// place is where key's value stands in the file.
func place(tree *ast.File, key string) (line, col int) {
	path, err := yaml.PathString("$." + key)
	if err != nil {
		return 1, 1
	}
	node, err := path.FilterFile(tree)
	if err != nil || node == nil || node.GetToken() == nil {
		return 1, 1
	}
	return node.GetToken().Position.Line, node.GetToken().Position.Column
}

func (c *config) level() (slog.Level, error) {
	var l slog.Level
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		return l, fmt.Errorf("%q is not a level: want debug, info, warn or error", c.Log.Level)
	}
	return l, l.UnmarshalText([]byte(c.Log.Level))
}

// readBounded reads a file of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is not a file of at most %d bytes", name, limit)
	}
	return os.ReadFile(name)
}
