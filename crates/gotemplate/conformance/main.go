// Prints what Go's own packages make of cases that are read as JSON lines: the vectors that the
// crate is held against. `cargo xtask conformance gotemplate --regenerate` runs it.
//
// A case and its result are one JSON object on one line. Text that is not UTF-8 is written as
// {"base64": "..."} in place of a string.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"unicode/utf8"
)

// families are the kinds of cases, each with the function that runs one.
var families = map[string]func(json.RawMessage) (text, error){
	"template": runTemplate,
	"syntax":   runTemplate,
	"printf":   runTemplate,
	"yaml":     runEncoding,
	"json":     runEncoding,
	"toml":     runEncoding,
	"printed":  runEncoding,
	"sprig":    runSprig,
}

// errSkip is the error of a case that is of no use: its output is too long, or holds an address.
var errSkip = errors.New("skip")

// A text is a Go string, which may be broken UTF-8.
type text string

func (t text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return marshal(string(t))
	}
	return marshal(map[string]string{"base64": base64.StdEncoding.EncodeToString([]byte(t))})
}

func (t *text) UnmarshalJSON(data []byte) error {
	var plain string
	if err := json.Unmarshal(data, &plain); err == nil {
		*t = text(plain)
		return nil
	}
	var encoded struct{ Base64 []byte }
	if err := json.Unmarshal(data, &encoded); err != nil {
		return err
	}
	*t = text(encoded.Base64)
	return nil
}

// marshal writes JSON without escapes for HTML.
func marshal(value any) ([]byte, error) {
	var buffer writer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return buffer[:len(buffer)-1], nil
}

type writer []byte

func (w *writer) Write(data []byte) (int, error) {
	*w = append(*w, data...)
	return len(data), nil
}

func main() {
	if len(os.Args) != 2 {
		fail("usage: go run . FAMILY < cases > vectors, or go run . unicode > src/text/tables.rs, go run . cases > src/sprig/unicode/tables.rs, or go run . check < made")
	}
	switch os.Args[1] {
	case "unicode":
		printUnicode()
		return
	case "cases":
		printCases()
		return
	case "check":
		checkMade()
		return
	case "bench":
		benchmark()
		return
	}
	run, ok := families[os.Args[1]]
	if !ok {
		fail("no family " + os.Args[1])
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		output, err := run(in.Bytes())
		result := map[string]text{"output": output}
		switch {
		case errors.Is(err, errSkip):
			result = map[string]text{"skip": ""}
		case err != nil:
			// Errors are text: each byte that is not UTF-8 becomes U+FFFD.
			result = map[string]text{"error": text([]rune(err.Error()))}
		}
		line, err := marshal(result)
		if err != nil {
			fail(err.Error())
		}
		fmt.Fprintf(out, "%s\n", line)
	}
	if err := in.Err(); err != nil {
		fail(err.Error())
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}
