package main

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

var numberTexts = []string{
	"0", "-0", "1", "-1", "31", "32", "127", "128", "-32", "-33", "-128", "-129", "255", "256", "32767", "32768", "-32768",
	"-32769", "65535", "65536", "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296",
	"9007199254740991", "9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808",
	"-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1e23", "1e100",
	"0.1", "0.10", "-0.1", "0.5", "0.25", "1.5", "2.0", "1e-1", "1E2", "1e+2", "+5", ".5", "5.", "0.30000000000000004",
	"3.141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825342117067982148086513",
	"1e-300", "123456789012345678901234567890.123456789", "0.00000000023283064365386962890625", "-0.000001", "99999999995",
	"1.5e300", "0.0000152587890625",
}

var strings_ = []string{
	"", "a", "b", "hello", "e\u0301", "\u00e9", "\u1100\u1161\u11a8", "\uac01", "A\u030a", "\u212b", "\ufb01", "\u0958",
	"q\u0307\u0323", "\u0344", "a\u0315\u0300\u05ae\u0062", "\U0001d15e", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
	"\x00", "\x07\b\f\n\r\t\v\x1b\x7f", "\"quoted\" \\ back", "<tag> & 'x'", "\u2028\u2029", "\u00a0", "\ufeff", "\ue000",
	"\ufffd", "\U0010ffff", "\u0301 alone", "true", "1", "null", "12.5", "ключ", "鍵", "z\u0300", "zz", "Z", "~", "?",
}

// fixedValues covers each kind at its edges.
func (g *generator) fixedValues() {
	for _, text := range numberTexts {
		g.value(cty.Number, cty.MustParseNumberVal(text))
		if float, err := strconv.ParseFloat(text, 64); err == nil {
			g.value(cty.Number, cty.NumberFloatVal(float))
		}
	}
	g.value(cty.Number, cty.PositiveInfinity)
	g.value(cty.Number, cty.NegativeInfinity)
	g.value(cty.Number, cty.NumberFloatVal(math.MaxFloat64))
	g.value(cty.Number, cty.NumberFloatVal(math.Pow(2, -1022)))
	g.value(cty.Number, cty.NumberFloatVal(998353542219036.25))
	for _, text := range strings_ {
		g.value(cty.String, cty.StringVal(text))
	}
	for _, length := range []int{31, 32, 255, 256, 300} {
		g.value(cty.String, cty.StringVal(strings.Repeat("x", length)))
	}
	for _, length := range []int{0, 1, 15, 16, 17} {
		elements := make([]cty.Value, 0, length)
		entries := map[string]cty.Value{}
		types := make([]cty.Type, 0, length)
		for i := range length {
			elements = append(elements, cty.NumberIntVal(int64(i)))
			entries[fmt.Sprintf("k%d", i)] = cty.NumberIntVal(int64(i))
			types = append(types, cty.Number)
		}
		g.value(cty.Tuple(types), cty.TupleVal(elements))
		g.value(cty.DynamicPseudoType, cty.TupleVal(elements))
		g.value(cty.DynamicPseudoType, cty.ObjectVal(entries))
		if length > 0 {
			g.value(cty.List(cty.Number), cty.ListVal(elements))
			g.value(cty.Set(cty.Number), cty.SetVal(elements))
			g.value(cty.Map(cty.Number), cty.MapVal(entries))
		}
	}
	for _, ty := range []cty.Type{
		cty.String, cty.Number, cty.Bool, cty.DynamicPseudoType, cty.List(cty.Bool), cty.Set(cty.DynamicPseudoType),
		cty.Map(cty.String), cty.EmptyObject, cty.EmptyTuple, cty.Object(map[string]cty.Type{"a": cty.DynamicPseudoType}),
	} {
		g.value(ty, cty.NullVal(ty))
		g.value(ty, cty.UnknownVal(ty))
		g.value(cty.DynamicPseudoType, cty.NullVal(ty))
		g.value(cty.DynamicPseudoType, cty.UnknownVal(ty))
		if ty != cty.DynamicPseudoType {
			g.value(ty, cty.UnknownVal(ty).RefineNotNull())
			g.value(cty.DynamicPseudoType, cty.UnknownVal(ty).RefineNotNull())
		}
	}
	g.value(cty.List(cty.DynamicPseudoType), cty.ListVal([]cty.Value{cty.StringVal("a"), cty.DynamicVal}))
	g.value(cty.Map(cty.DynamicPseudoType), cty.MapVal(map[string]cty.Value{
		"a": cty.NullVal(cty.DynamicPseudoType), "b": cty.NumberIntVal(1),
	}))
	var all []cty.Value
	for _, text := range strings_ {
		all = append(all, cty.ObjectVal(map[string]cty.Value{"s": cty.StringVal(text), "n": cty.Zero}))
	}
	g.value(cty.Set(all[0].Type()), cty.SetVal(all))
	all = nil
	for _, text := range numberTexts {
		// Inside a compound element cty orders numbers by ten digits only, and those with equal ones as they came.
		if text != "-9223372036854775809" {
			all = append(all, cty.TupleVal([]cty.Value{cty.MustParseNumberVal(text)}))
		}
	}
	g.value(cty.Set(all[0].Type()), cty.SetVal(all))
}

// typ is a random type with at most depth levels below it.
func (g *generator) typ(depth int) cty.Type {
	kinds := 10
	if depth == 0 {
		kinds = 4
	}
	switch g.random.Intn(kinds) {
	case 0:
		return cty.String
	case 1:
		return cty.Number
	case 2:
		return cty.Bool
	case 3:
		return cty.DynamicPseudoType
	case 4:
		return cty.List(g.typ(depth - 1))
	case 5:
		return cty.Set(g.typ(depth - 1))
	case 6:
		return cty.Map(g.typ(depth - 1))
	case 7:
		elements := make([]cty.Type, g.random.Intn(4))
		for i := range elements {
			elements[i] = g.typ(depth - 1)
		}
		return cty.Tuple(elements)
	default:
		attributes := map[string]cty.Type{}
		for range g.random.Intn(4) {
			attributes[oneOf(g, []string{"a", "b", "id", "name_2", "é", "e\u0301x", "Z", "<k>", ""})] = g.typ(depth - 1)
		}
		return cty.Object(attributes)
	}
}

// concrete replaces each dynamic by a type without it.
func (g *generator) concrete(ty cty.Type) cty.Type {
	switch {
	case ty == cty.DynamicPseudoType:
		for {
			if ty := g.typ(1); !ty.HasDynamicTypes() {
				return ty
			}
		}
	case ty.IsListType():
		return cty.List(g.concrete(ty.ElementType()))
	case ty.IsSetType():
		return cty.Set(g.concrete(ty.ElementType()))
	case ty.IsMapType():
		return cty.Map(g.concrete(ty.ElementType()))
	case ty.IsTupleType():
		elements := make([]cty.Type, 0)
		for _, element := range ty.TupleElementTypes() {
			elements = append(elements, g.concrete(element))
		}
		return cty.Tuple(elements)
	case ty.IsObjectType():
		attributes := map[string]cty.Type{}
		for _, name := range sortedNames(ty) {
			attributes[name] = g.concrete(ty.AttributeType(name))
		}
		return cty.Object(attributes)
	default:
		return ty
	}
}

func (g *generator) numberText() string {
	var text strings.Builder
	if g.pick(3) {
		text.WriteString("-")
	}
	for range 1 + g.random.Intn(1+g.random.Intn(24)) {
		text.WriteByte(byte('0' + g.random.Intn(10)))
	}
	if g.pick(2) {
		text.WriteString(".")
		for range 1 + g.random.Intn(1+g.random.Intn(30)) {
			text.WriteByte(byte('0' + g.random.Intn(10)))
		}
	}
	if g.pick(5) {
		fmt.Fprintf(&text, "e%d", g.random.Intn(40)-20)
	}
	return text.String()
}

func (g *generator) number() cty.Value {
	switch g.random.Intn(6) {
	case 0:
		return cty.NumberIntVal(int64(g.random.Uint64()) >> g.random.Intn(64))
	case 1:
		return cty.NumberUIntVal(g.random.Uint64())
	case 2:
		return cty.NumberFloatVal(float64(g.random.Intn(2000)-1000) / 8)
	case 3:
		// Any finite float that is not of astronomic length as text.
		return cty.NumberFloatVal(g.random.NormFloat64() * math.Pow(2, float64(g.random.Intn(120)-60)))
	case 4:
		return cty.MustParseNumberVal(oneOf(g, numberTexts))
	default:
		return cty.MustParseNumberVal(g.numberText())
	}
}

func (g *generator) str() string {
	text := oneOf(g, strings_)
	if g.pick(4) {
		text += oneOf(g, strings_)
	}
	return text
}

func (g *generator) refined(ty cty.Type) cty.Value {
	unknown := cty.UnknownVal(ty)
	if ty == cty.DynamicPseudoType || g.pick(2) {
		return unknown
	}
	builder := unknown.Refine()
	notNull := g.pick(2)
	if notNull {
		builder = builder.NotNull()
	}
	switch {
	case ty == cty.String:
		if g.pick(2) {
			builder = builder.StringPrefixFull(oneOf(g, []string{"x-", "arn:aws:iam::", "é", "", strings.Repeat("p", 40)}))
		}
	case ty == cty.Number:
		low := g.random.Intn(100)
		if g.pick(2) {
			builder = builder.NumberRangeLowerBound(cty.NumberIntVal(int64(low)), g.pick(2))
		}
		if g.pick(2) {
			high := cty.NumberFloatVal(float64(low) + 1.5)
			builder = builder.NumberRangeUpperBound(high, g.pick(2))
		}
	case ty.IsCollectionType():
		low := g.random.Intn(3)
		if g.pick(2) {
			builder = builder.CollectionLengthLowerBound(low)
		}
		if g.pick(2) {
			// Equal bounds would make a known value of it.
			builder = builder.CollectionLengthUpperBound(low + 1 + g.random.Intn(300))
		}
	}
	return builder.NewValue()
}

// val is a random value of type ty.
func (g *generator) val(ty cty.Type, budget int) cty.Value {
	switch g.random.Intn(14) {
	case 0:
		return cty.NullVal(ty)
	case 1:
		return g.refined(ty)
	}
	if ty == cty.DynamicPseudoType {
		return g.val(g.concrete(ty), budget)
	}
	switch {
	case ty == cty.String:
		return cty.StringVal(g.str())
	case ty == cty.Number:
		return g.number()
	case ty == cty.Bool:
		return cty.BoolVal(g.pick(2))
	case ty.IsCollectionType():
		return g.collection(ty, budget)
	case ty.IsTupleType():
		var elements []cty.Value
		for _, element := range ty.TupleElementTypes() {
			elements = append(elements, g.val(element, budget-1))
		}
		return cty.TupleVal(elements)
	default:
		attributes := map[string]cty.Value{}
		for _, name := range sortedNames(ty) {
			attributes[name] = g.val(ty.AttributeType(name), budget-1)
		}
		return cty.ObjectVal(attributes)
	}
}

func (g *generator) collection(ty cty.Type, budget int) cty.Value {
	// All elements must have one type, also where the schema says dynamic.
	element := g.concrete(ty.ElementType())
	length := g.random.Intn(max(budget, 0) + 1)
	elements := make([]cty.Value, 0, length)
	entries := map[string]cty.Value{}
	for i := range length {
		value := g.val(element, budget-2)
		elements = append(elements, value)
		entries[fmt.Sprintf("%s%d", g.str(), i)] = value
	}
	switch {
	case ty.IsListType() && length == 0:
		return cty.ListValEmpty(ty.ElementType())
	case ty.IsListType():
		return cty.ListVal(elements)
	case ty.IsSetType() && length == 0:
		return cty.SetValEmpty(ty.ElementType())
	case ty.IsSetType():
		return cty.SetVal(elements)
	case length == 0:
		return cty.MapValEmpty(ty.ElementType())
	default:
		return cty.MapVal(entries)
	}
}

func sortedNames(ty cty.Type) []string {
	return sortedKeys(ty.AttributeTypes())
}

// text is what a finite number is in a decimal: cty's own text, unless cty holds that to be another number, as it does
// for integers that were floats beyond 2^53.
func text(value cty.Value) string {
	float := value.AsBigFloat()
	text := float.Text('f', -1)
	if float.Sign() == 0 {
		return "0"
	}
	if !value.RawEquals(cty.MustParseNumberVal(text)) {
		text = new(big.Float).SetMode(big.ToNearestEven).SetPrec(2048).Set(float).Text('f', -1)
	}
	return text
}

// roundedByCty is true when a number in value is an integer of so many bits that cty rounds its text.
func roundedByCty(value cty.Value) bool {
	rounded := false
	// The callback never fails.
	_ = cty.Walk(value, func(_ cty.Path, part cty.Value) (bool, error) {
		if part.Type() == cty.Number && part.IsKnown() && !part.IsNull() && !part.AsBigFloat().IsInf() {
			integer, _ := part.AsBigFloat().Int(nil)
			rounded = rounded || integer.BitLen() > 512
		}
		return true, nil
	})
	return rounded
}
