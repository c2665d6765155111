package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// A templateCase is one execution: texts with their names, of which the first is executed.
type templateCase struct {
	Templates  [][2]text
	Data       json.RawMessage
	MissingKey string
	Delimiters []text
}

func runTemplate(line json.RawMessage) (text, error) {
	var c templateCase
	if err := json.Unmarshal(line, &c); err != nil {
		fail(err.Error() + ": " + string(line))
	}
	root, err := c.parse()
	if err != nil {
		return "", err
	}
	var out output
	err = root.Execute(&out, value(c.Data).Interface())
	if address.Match(out) || err != nil && address.MatchString(err.Error()) {
		return "", errSkip
	}
	if err != nil {
		return "", err
	}
	return text(out), nil
}

// address is what a pointer or function prints as.
var address = regexp.MustCompile(`0x(?:[0-9a-f]{6}|[0-9a-f]{10,12})\b`)

// An output refuses to become long.
type output []byte

func (o *output) Write(data []byte) (int, error) {
	if len(*o)+len(data) > 4096 {
		return 0, errSkip
	}
	*o = append(*o, data...)
	return len(data), nil
}

func (c *templateCase) parse() (*template.Template, error) {
	root := template.New(string(c.Templates[0][0])).Funcs(fixtures)
	root.Funcs(template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var out strings.Builder
			err := root.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"tpl": func(text string, data any) (string, error) {
			clone, err := root.Clone()
			must(err)
			t, err := clone.New("tpl").Parse(text)
			if err != nil {
				return "", fmt.Errorf("cannot parse: %w", err)
			}
			var out strings.Builder
			err = t.Execute(&out, data)
			return out.String(), err
		},
	})
	if c.MissingKey != "" {
		root.Option("missingkey=" + c.MissingKey)
	}
	if len(c.Delimiters) == 2 {
		root.Delims(string(c.Delimiters[0]), string(c.Delimiters[1]))
	}
	for i, t := range c.Templates {
		target := root
		if name := string(t[0]); i > 0 && name != root.Name() {
			target = root.New(name)
		}
		if _, err := target.Parse(string(t[1])); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// A holder gives reflect.Value.Interface for nil too.
type holder struct{ value any }

func (h holder) Interface() any { return h.value }

// value reads a value: null, or an object with one member that is named after the kind.
func value(data json.RawMessage) holder {
	if len(data) == 0 || string(data) == "null" {
		return holder{nil}
	}
	var members map[string]json.RawMessage
	must(json.Unmarshal(data, &members))
	for kind, content := range members {
		switch kind {
		case "bool":
			var truth bool
			must(json.Unmarshal(content, &truth))
			return holder{truth}
		case "string":
			var s text
			must(json.Unmarshal(content, &s))
			return holder{string(s)}
		case "bytes":
			var s text
			must(json.Unmarshal(content, &s))
			// The capacity, which slicing sees, is not to depend on how the bytes came about.
			return holder{slices.Clip([]byte(s))}
		case "complex128":
			var parts [2]string
			must(json.Unmarshal(content, &parts))
			return holder{complex(float(parts[0]), float(parts[1]))}
		case "list":
			var parts [2]json.RawMessage
			must(json.Unmarshal(content, &parts))
			return holder{list(parts[0], parts[1])}
		case "map":
			var parts [2]json.RawMessage
			must(json.Unmarshal(content, &parts))
			return holder{dictionary(parts[0], parts[1])}
		case "host":
			var name string
			must(json.Unmarshal(content, &name))
			return holder{hosts[name]()}
		default:
			var number string
			must(json.Unmarshal(content, &number))
			return holder{scalar(kind, number)}
		}
	}
	fail("no value: " + string(data))
	panic("unreachable")
}

func must(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func float(number string) float64 {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		fail(err.Error())
	}
	return f
}

// types are the types of elements by their printed names.
var types = map[string]reflect.Type{}

func init() {
	for _, t := range []any{
		false, int(0), int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0),
		uint64(0), float32(0), float64(0), complex128(0), "", []any{}, []string{}, []int{},
		[]byte{}, map[string]any{}, map[string]string{}, map[string]int{}, [][]any{}, []map[string]any{},
	} {
		types[reflect.TypeOf(t).String()] = reflect.TypeOf(t)
	}
	types["interface {}"] = reflect.TypeFor[any]()
}

func typeOf(data json.RawMessage) reflect.Type {
	var name string
	must(json.Unmarshal(data, &name))
	t, ok := types[name]
	if !ok {
		fail("no type " + name)
	}
	return t
}

func scalar(kind, number string) any {
	t, ok := types[kind]
	if !ok {
		fail("no kind " + kind)
	}
	v := reflect.New(t).Elem()
	switch {
	case v.CanInt():
		n, err := strconv.ParseInt(number, 10, 64)
		must(err)
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(number, 10, 64)
		must(err)
		v.SetUint(n)
	default:
		v.SetFloat(float(number))
	}
	return v.Interface()
}

func list(element, content json.RawMessage) any {
	t := reflect.SliceOf(typeOf(element))
	var items []json.RawMessage
	must(json.Unmarshal(content, &items))
	if items == nil {
		return reflect.Zero(t).Interface()
	}
	v := reflect.MakeSlice(t, len(items), len(items))
	for i, item := range items {
		if x := value(item).Interface(); x != nil {
			v.Index(i).Set(reflect.ValueOf(x))
		}
	}
	return v.Interface()
}

func dictionary(element, content json.RawMessage) any {
	t := reflect.MapOf(reflect.TypeFor[string](), typeOf(element))
	var entries map[string]json.RawMessage
	must(json.Unmarshal(content, &entries))
	if entries == nil {
		return reflect.Zero(t).Interface()
	}
	v := reflect.MakeMap(t)
	for key, item := range entries {
		x := reflect.Zero(t.Elem())
		if y := value(item).Interface(); y != nil {
			x = reflect.ValueOf(y)
		}
		v.SetMapIndex(reflect.ValueOf(key), x)
	}
	return v.Interface()
}

// The host values and functions have their twins in tests/support of the crate.

type Person struct {
	Name string
	Age  int
	Tags []string
	Any  any
}

func (p Person) Greet(greeting string) string { return greeting + ", " + p.Name }
func (p Person) Older(years int) int          { return p.Age + years }
func (p Person) Fail(why string) (string, error) {
	return "", errors.New("person failed: " + why)
}
func (p Person) Join(separator string, words ...string) string {
	return p.Name + ":" + strings.Join(words, separator)
}
func (p Person) Nothing() any { return nil }

type Version struct {
	Major, Minor int
}

func (v *Version) String() string { return fmt.Sprintf("v%d.%d", v.Major, v.Minor) }

type Level int

func (l Level) String() string { return "level-" + strconv.Itoa(int(l)) }

type Mode uint8

type Label string

func (l Label) Shout() string { return strings.ToUpper(string(l)) }

type Failure struct{ Code int }

func (f Failure) Error() string { return "failure " + strconv.Itoa(f.Code) }

type Names []string

func (n Names) Has(name string) bool {
	for _, known := range n {
		if known == name {
			return true
		}
	}
	return false
}

type Settings map[string]any

func (s Settings) Keys() int { return len(s) }

func newPerson() Person {
	return Person{Name: "Ann", Age: 41, Tags: []string{"a", "b"}, Any: 2.5}
}

var hosts = map[string]func() any{
	"person":   func() any { return newPerson() },
	"pointer":  func() any { p := newPerson(); return &p },
	"nobody":   func() any { return (*Person)(nil) },
	"version":  func() any { return &Version{1, 2} },
	"level":    func() any { return Level(3) },
	"mode":     func() any { return Mode(7) },
	"label":    func() any { return Label("red") },
	"failure":  func() any { return Failure{9} },
	"names":    func() any { return Names{"x", "y"} },
	"settings": func() any { return Settings{"k": "v", "n": 1} },
	"function": func() any { return strings.Repeat },
}

var fixtures = template.FuncMap{
	"dict": func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			m[fmt.Sprint(pairs[i])] = pairs[i+1]
		}
		return m
	},
	"list":    func(items ...any) []any { return items },
	"set":     func(m map[string]any, key string, v any) map[string]any { m[key] = v; return m },
	"upper":   strings.ToUpper,
	"join":    func(separator string, words []string) string { return strings.Join(words, separator) },
	"words":   strings.Fields,
	"nothing": func() any { return nil },
	"same":    func(v any) any { return v },
	"add":     func(a, b int) int { return a + b },
	"add64": func(a int64, rest ...int64) int64 {
		for _, b := range rest {
			a += b
		}
		return a
	},
	"half":     func(f float64) float64 { return f / 2 },
	"byte":     func(b uint8) uint8 { return b },
	"small":    func(n int8) int8 { return n },
	"single":   func(f float32) float32 { return f },
	"flag":     func(b bool) bool { return !b },
	"imag":     func(c complex128) float64 { return imag(c) },
	"raw":      func(b []byte) string { return string(b) },
	"bytes":    func(s string) []byte { return slices.Clip([]byte(s)) },
	"named":    func(s Settings) int { return len(s) },
	"plain":    func(m map[string]any) string { return fmt.Sprintf("%T", m) },
	"isPerson": func(p Person) string { return p.Name },
	"fail":     func(message string) (string, error) { return "", errors.New(message) },
	"kind": func(v any) string {
		if v == nil {
			return "invalid"
		}
		return reflect.TypeOf(v).Kind().String()
	},
}
