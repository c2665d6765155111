package main

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// spelling writes values in forms that cty reads but never writes.
type spelling struct {
	*generator
	bytes []byte
}

func sortedKeys[V any](entries map[string]V) []string {
	keys := make([]string, 0, len(entries))
	for key := range entries {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (s *spelling) put(bytes ...byte) { s.bytes = append(s.bytes, bytes...) }

func (s *spelling) header(length int, fixed, limit byte, one, two, four byte) {
	choice := s.random.Intn(4)
	switch {
	case choice == 0 && length < int(limit):
		s.put(fixed | byte(length))
	case choice <= 1 && one != 0 && length < 256:
		s.put(one, byte(length))
	case choice <= 2 && length < 65536:
		s.put(two)
		s.bytes = binary.BigEndian.AppendUint16(s.bytes, uint16(length))
	default:
		s.put(four)
		s.bytes = binary.BigEndian.AppendUint32(s.bytes, uint32(length))
	}
}

func (s *spelling) string(text string) {
	if s.pick(4) {
		s.header(len(text), 0, 0, 0xc4, 0xc5, 0xc6)
	} else {
		s.header(len(text), 0xa0, 32, 0xd9, 0xda, 0xdb)
	}
	s.put([]byte(text)...)
}

func (s *spelling) unknown() {
	switch s.random.Intn(5) {
	case 0:
		s.put(0xd4, byte(s.random.Intn(256)), byte(s.random.Intn(256)))
	case 1:
		s.put(0xc7, 0, byte(s.random.Intn(256)))
	case 2:
		s.put(0xc8, 0, 1, 0x0c, 0xff)
	case 3:
		// An empty map, with padding after it.
		s.put(0xd6, 0x0c, 0x80, 0, 0, 0)
	default:
		// Not null.
		s.put(0xc9, 0, 0, 0, 3, 0x0c, 0x81, 1, 0xc2)
	}
}

func (s *spelling) number(value cty.Value) {
	float := value.AsBigFloat()
	if float.IsInf() {
		s.put(0xca)
		s.bytes = binary.BigEndian.AppendUint32(s.bytes, math.Float32bits(float32(math.Inf(float.Sign()))))
		return
	}
	single, accuracy := float.Float32()
	if accuracy == big.Exact && s.pick(3) {
		s.put(0xca)
		s.bytes = binary.BigEndian.AppendUint32(s.bytes, math.Float32bits(single))
		return
	}
	double, accuracy := float.Float64()
	if accuracy == big.Exact && s.pick(3) {
		s.put(0xcb)
		s.bytes = binary.BigEndian.AppendUint64(s.bytes, math.Float64bits(double))
		return
	}
	if integer, accuracy := float.Int64(); accuracy == big.Exact && s.pick(2) {
		s.put(0xd3)
		s.bytes = binary.BigEndian.AppendUint64(s.bytes, uint64(integer))
		return
	}
	if integer, accuracy := float.Uint64(); accuracy == big.Exact && s.pick(2) {
		s.put(0xcf)
		s.bytes = binary.BigEndian.AppendUint64(s.bytes, integer)
		return
	}
	s.string(text(value))
}

func (s *spelling) value(value cty.Value, ty cty.Type) {
	if ty == cty.DynamicPseudoType && value.Type() != cty.DynamicPseudoType {
		s.header(2, 0x90, 16, 0, 0xdc, 0xdd)
		own := value.Type()
		s.string(string(must(own.MarshalJSON())))
		s.value(value, own)
		return
	}
	switch {
	case !value.IsKnown():
		s.unknown()
	case value.IsNull():
		s.put(0xc0)
	case ty == cty.String:
		s.string(value.AsString())
	case ty == cty.Number:
		s.number(value)
	case ty == cty.Bool && value.True():
		s.put(0xc3)
	case ty == cty.Bool:
		s.put(0xc2)
	case ty.IsMapType() || ty.IsObjectType():
		entries := value.AsValueMap()
		keys := sortedKeys(entries)
		s.random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		s.header(len(keys), 0x80, 16, 0, 0xde, 0xdf)
		for _, key := range keys {
			s.string(key)
			if ty.IsMapType() {
				s.value(entries[key], ty.ElementType())
			} else {
				s.value(entries[key], ty.AttributeType(key))
			}
		}
	case ty.IsTupleType():
		elements := value.AsValueSlice()
		s.header(len(elements), 0x90, 16, 0, 0xdc, 0xdd)
		for i, element := range elements {
			s.value(element, ty.TupleElementType(i))
		}
	default:
		elements := value.AsValueSlice()
		if ty.IsSetType() && len(elements) > 0 {
			s.random.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
			if first := elements[0]; first.IsWhollyKnown() {
				elements = append(elements, first)
			}
		}
		s.header(len(elements), 0x90, 16, 0, 0xdc, 0xdd)
		for _, element := range elements {
			s.value(element, ty.ElementType())
		}
	}
}
