// Command conformance prints what go-cty makes of generated types, values and bytes, one JSON object a line.
// The Rust crate tfplugin-cty must make the same of them.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"github.com/zclconf/go-cty/cty/msgpack"
)

// record is one line. Kind says which fields matter:
//
//	value   Msgpack is what cty writes for a value of Type. Canonical is the value without refinements, with numbers
//	        by their decimal text; JSON the same in JSON, absent when something in it is unknown or infinite.
//	wire    Msgpack is another spelling that cty reads as Canonical.
//	bytes   Msgpack is damaged. Outcome is ok (then Canonical is what cty reads), error, nonconforming (cty reads a
//	        value that is not of Type) or panic.
//	json    JSON is read as Type with Outcome and Canonical as above.
//	numbers Left and Right are the numbers; Equal and Order (of the exact values) compare them.
//	type    JSON is read as a type with Outcome ok or error; Canonical is what cty writes for it.
type record struct {
	Kind      string          `json:"kind"`
	Type      json.RawMessage `json:"type,omitempty"`
	Msgpack   string          `json:"msgpack,omitempty"`
	Canonical string          `json:"canonical,omitempty"`
	JSON      *string         `json:"json,omitempty"`
	Outcome   string          `json:"outcome,omitempty"`
	Left      string          `json:"left,omitempty"`
	Right     string          `json:"right,omitempty"`
	Equal     *bool           `json:"equal,omitempty"`
	Order     *int            `json:"order,omitempty"`
}

type generator struct {
	random *rand.Rand
	out    *bufio.Writer
	// The lines so far, to write none twice.
	lines map[string]bool
	// What has been written, to damage it later.
	values []sample
}

type sample struct {
	ty      cty.Type
	msgpack []byte
	json    []byte
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	g := &generator{random: rand.New(rand.NewSource(20261124)), out: out, lines: map[string]bool{}}
	g.fixedValues()
	for range 1300 {
		ty := g.typ(3)
		g.value(ty, g.val(ty, 4))
	}
	for range 500 {
		ty := g.typ(3)
		g.wire(ty, g.val(ty, 4))
	}
	g.damagedBytes(1600)
	g.jsonTexts()
	g.damagedJSON(500)
	g.numbers(300)
	g.types(250)
	if err := out.Flush(); err != nil {
		panic(err)
	}
}

func (g *generator) emit(r record) {
	line := string(must(json.Marshal(r)))
	if g.lines[line] {
		return
	}
	g.lines[line] = true
	must(g.out.WriteString(line + "\n"))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func (g *generator) pick(n int) bool { return g.random.Intn(n) == 0 }

func oneOf[T any](g *generator, choices []T) T { return choices[g.random.Intn(len(choices))] }

// canonical drops refinements and gives numbers the precision of their decimal text.
func canonical(value cty.Value) cty.Value {
	result, err := cty.Transform(value, func(_ cty.Path, part cty.Value) (cty.Value, error) {
		switch {
		case !part.IsKnown():
			return cty.UnknownVal(part.Type()), nil
		case part.IsNull() || part.Type() != cty.Number:
			return part, nil
		}
		float := part.AsBigFloat()
		if float.IsInf() {
			return part, nil
		}
		return cty.ParseNumberVal(text(part))
	})
	if err != nil {
		panic(err)
	}
	return result
}

// value writes what cty makes of value, and panics when cty contradicts itself.
func (g *generator) value(ty cty.Type, value cty.Value) {
	wire := must(msgpack.Marshal(value, ty))
	if !g.readable(ty, wire) {
		return
	}
	read := must(msgpack.Unmarshal(wire, ty))
	r := record{Kind: "value", Type: must(ty.MarshalJSON()), Msgpack: hex.EncodeToString(wire)}
	normal := canonical(read)
	if read.IsWhollyKnown() && !read.RawEquals(normal) {
		panic(fmt.Sprintf("%#v is not %#v", read, normal))
	}
	r.Canonical = hex.EncodeToString(must(msgpack.Marshal(normal, ty)))
	if r.Canonical == r.Msgpack {
		r.Canonical = ""
	}
	sampled := sample{ty: ty, msgpack: wire}
	if text, err := ctyjson.Marshal(normal, ty); err == nil {
		if back := must(ctyjson.Unmarshal(text, ty)); !back.RawEquals(normal) {
			panic(fmt.Sprintf("%#v is not %#v", back, normal))
		}
		sampled.json = text
		asString := string(text)
		r.JSON = &asString
	}
	g.values = append(g.values, sampled)
	g.emit(r)
}

// read decodes with cty, which panics on some input.
func read(decode func() (cty.Value, error), ty cty.Type) (outcome, canonicalHex string) {
	defer func() {
		if recover() != nil {
			outcome, canonicalHex = "panic", ""
		}
	}()
	value, err := decode()
	if err != nil {
		return "error", ""
	}
	if roundedByCty(value) {
		return "rounded", ""
	}
	if value.Type().TestConformance(ty) != nil {
		return "nonconforming", ""
	}
	wire, err := msgpack.Marshal(canonical(value), ty)
	if err != nil {
		return "nonconforming", ""
	}
	return "ok", hex.EncodeToString(wire)
}

// readable is false, and the bytes are written as damaged, when cty cannot read what it wrote: an empty collection or a
// null inside a dynamic one loses its type, and then does not match its neighbours.
func (g *generator) readable(ty cty.Type, wire []byte) bool {
	outcome, _ := read(func() (cty.Value, error) { return msgpack.Unmarshal(wire, ty) }, ty)
	if outcome == "ok" || outcome == "rounded" {
		return true
	}
	g.emit(record{Kind: "bytes", Type: must(ty.MarshalJSON()), Msgpack: hex.EncodeToString(wire), Outcome: outcome})
	return false
}

func (g *generator) wire(ty cty.Type, value cty.Value) {
	w := &spelling{generator: g}
	w.value(value, ty)
	if !g.readable(ty, w.bytes) {
		return
	}
	_, result := read(func() (cty.Value, error) { return msgpack.Unmarshal(w.bytes, ty) }, ty)
	g.values = append(g.values, sample{ty: ty, msgpack: w.bytes})
	g.emit(record{Kind: "wire", Type: must(ty.MarshalJSON()), Msgpack: hex.EncodeToString(w.bytes), Canonical: result})
}

func (g *generator) damage(bytes []byte, alphabet []byte) []byte {
	damaged := append([]byte(nil), bytes...)
	for range 1 + g.random.Intn(2) {
		if len(damaged) == 0 {
			break
		}
		at := g.random.Intn(len(damaged))
		fresh := oneOf(g, alphabet)
		switch g.random.Intn(5) {
		case 0:
			damaged[at] = fresh
		case 1:
			damaged[at] ^= 1 << g.random.Intn(8)
		case 2:
			damaged = append(damaged[:at], damaged[at+1:]...)
		case 3:
			damaged = append(damaged[:at], append([]byte{fresh}, damaged[at:]...)...)
		case 4:
			damaged = damaged[:at]
		}
	}
	return damaged
}

func (g *generator) small(limit int) sample {
	for {
		if s := oneOf(g, g.values); len(s.msgpack) <= limit {
			return s
		}
	}
}

func (g *generator) damagedBytes(count int) {
	alphabet := []byte{
		0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x8f, 0x90, 0x91, 0x92, 0x93, 0xa0, 0xa1, 0xa2, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3,
		0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6,
		0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xde, 0xe0, 0xff, 0x0c, 0x05, 'a',
	}
	for count > 0 {
		s := g.small(48)
		damaged := g.damage(s.msgpack, alphabet)
		if claimsTooMuch(damaged) {
			continue
		}
		outcome, result := read(func() (cty.Value, error) { return msgpack.Unmarshal(damaged, s.ty) }, s.ty)
		if outcome == "rounded" {
			continue
		}
		g.emit(record{
			Kind: "bytes", Type: must(s.ty.MarshalJSON()), Msgpack: hex.EncodeToString(damaged), Outcome: outcome,
			Canonical: result,
		})
		count--
	}
}

// claimsTooMuch is true for bytes whose claimed lengths make cty allocate gigabytes.
func claimsTooMuch(bytes []byte) bool {
	for _, b := range bytes {
		if b == 0xdd || b == 0xdf || b == 0xdb || b == 0xc6 {
			return true
		}
	}
	return false
}

func (g *generator) json(ty cty.Type, text string) {
	outcome, result := read(func() (cty.Value, error) { return ctyjson.Unmarshal([]byte(text), ty) }, ty)
	if outcome == "rounded" {
		return
	}
	g.emit(record{Kind: "json", Type: must(ty.MarshalJSON()), JSON: &text, Outcome: outcome, Canonical: result})
}

func (g *generator) damagedJSON(count int) {
	alphabet := []byte(`{}[],:"\0123456789.eE+-truefalsn  `)
	for count > 0 {
		s := g.small(64)
		if s.json == nil {
			continue
		}
		damaged := g.damage(s.json, alphabet)
		// A record is UTF-8 itself.
		g.json(s.ty, string([]rune(string(damaged))))
		count--
	}
}

func (g *generator) numbers(count int) {
	texts := append([]string(nil), numberTexts...)
	for len(texts) < 60 {
		texts = append(texts, g.numberText())
	}
	for range count {
		left, right := oneOf(g, texts), oneOf(g, texts)
		if g.pick(3) {
			right = left
		}
		leftValue, rightValue := cty.MustParseNumberVal(left), cty.MustParseNumberVal(right)
		order := leftValue.AsBigFloat().Cmp(rightValue.AsBigFloat())
		equal := leftValue.Equals(rightValue).True()
		g.emit(record{Kind: "numbers", Left: left, Right: right, Equal: &equal, Order: &order})
	}
}

func (g *generator) types(count int) {
	emit := func(text string) {
		r := record{Kind: "type", JSON: &text, Outcome: "error"}
		func() {
			defer func() {
				if recover() != nil {
					r.Outcome = "panic"
				}
			}()
			if ty, err := ctyjson.UnmarshalType([]byte(text)); err == nil {
				r.Outcome = "ok"
				r.Canonical = string(must(ty.MarshalJSON()))
			}
		}()
		g.emit(r)
	}
	for _, text := range typeTexts {
		emit(text)
	}
	alphabet := []byte(`{}[],:"\ abcdlistetmapupleobjecnumrsgdy`)
	for range count {
		text := must(g.typ(4).MarshalJSON())
		if g.pick(2) {
			text = []byte(string([]rune(string(g.damage(text, alphabet)))))
		}
		emit(string(text))
	}
}
