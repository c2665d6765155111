package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
	"go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

// An encodingCase has a text to read or a value to write. go.mod has the versions of Helm 3.22.0 and
// 4.3.1.
type encodingCase struct {
	Read     *text           `json:"read"`
	Write    json.RawMessage `json:"write"`
	Function string          `json:"function"`
}

// How often a function is called to see whether it always gives the same: some results depend on the
// order in which Go iterates over a map.
const attempts = 24

func runEncoding(line json.RawMessage) (text, error) {
	var c encodingCase
	must(json.Unmarshal(line, &c))
	first, firstErr := c.call()
	for range attempts {
		again, err := c.call()
		if again != first || fmt.Sprint(err) != fmt.Sprint(firstErr) {
			return "", errSkip
		}
	}
	return first, firstErr
}

// call gives the text of a panic as an error, as a template does.
func (c *encodingCase) call() (result text, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	if c.Read != nil {
		return c.read([]byte(*c.Read))
	}
	return c.write(value(c.Write).value)
}

// read shows what the function makes of the text in JSON, which tells nil from empty maps and slices.
func (c *encodingCase) read(data []byte) (text, error) {
	var v any
	var err error
	switch c.Function {
	case "yaml":
		err = sigs.Unmarshal(data, &v)
	case "yamlStrict":
		err = sigs.UnmarshalStrict(data, &v)
	case "json":
		err = json.Unmarshal(data, &v)
	case "fromYaml":
		v = fromMap(data, func(data []byte, m *map[string]any) error { return sigs.Unmarshal(data, m) })
	case "fromJson":
		v = fromMap(data, func(data []byte, m *map[string]any) error { return json.Unmarshal(data, m) })
	case "fromToml":
		v = fromMap(data, func(data []byte, m *map[string]any) error { return toml.Unmarshal(data, m) })
	case "fromYamlArray":
		v = fromArray(data, func(data []byte, a *[]any) error { return sigs.Unmarshal(data, a) })
	case "fromJsonArray":
		v = fromArray(data, func(data []byte, a *[]any) error { return json.Unmarshal(data, a) })
	case "tomlAgain":
		v = fromMap(data, func(data []byte, m *map[string]any) error { return toml.Unmarshal(data, m) })
		var out bytes.Buffer
		err = toml.NewEncoder(&out).Encode(v)
		return text(out.String()), err
	default:
		fail("no function " + c.Function)
	}
	if err != nil {
		return "", err
	}
	out, err := json.Marshal(v)
	return text(out), err
}

func fromMap(data []byte, read func([]byte, *map[string]any) error) map[string]any {
	m := map[string]any{}
	if err := read(data, &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

func fromArray(data []byte, read func([]byte, *[]any) error) []any {
	a := []any{}
	if err := read(data, &a); err != nil {
		a = []any{err.Error()}
	}
	return a
}

func (c *encodingCase) write(v any) (text, error) {
	var out bytes.Buffer
	switch c.Function {
	case "toYaml":
		data, err := sigs.Marshal(v)
		return text(data), err
	case "toYamlPretty":
		encoder := yaml.NewEncoder(&out)
		encoder.SetIndent(2)
		err := encoder.Encode(v)
		return text(out.String()), err
	case "toToml":
		err := toml.NewEncoder(&out).Encode(v)
		return text(out.String()), err
	case "toJson":
		data, err := json.Marshal(v)
		return text(data), err
	case "toPrettyJson":
		data, err := json.MarshalIndent(v, "", "  ")
		return text(data), err
	case "toRawJson":
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(v)
		return text(strings.TrimSuffix(out.String(), "\n")), err
	}
	fail("no function " + c.Function)
	panic("unreachable")
}
