package whimbrel

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// Kind is what a cell holds.
type Kind uint8

// The kinds of cells, by their codes in the packed form.
const (
	Null Kind = iota
	Integer
	Real
	Text
	Blob
	Boolean
	mixed Kind = 255
)

const (
	maxRows    = 1 << 20
	maxColumns = 32767
)

// Column is one column of a batch in packed form; packed.md beside the contract is its specification.
type Column struct {
	Kind  Kind
	Tags  []byte
	Words []byte
	Heap  []byte
}

// Batch is rows in packed form. Check it before its cells are read.
type Batch struct {
	Rows    uint32
	Columns []Column
}

// Malformed says what is wrong with a batch; Column and Row are -1 where it concerns no single one.
type Malformed struct {
	Reason string
	Column int
	Row    int
}

func (m *Malformed) Error() string {
	text := "malformed batch"
	if m.Column >= 0 {
		text += fmt.Sprintf(", column %d", m.Column)
	}
	if m.Row >= 0 {
		text += fmt.Sprintf(", row %d", m.Row)
	}
	return text + ": " + m.Reason
}

// Check looks at everything the packed form demands, and returns a *Malformed if something is wrong.
func (b *Batch) Check() error {
	if b.Rows > maxRows {
		return &Malformed{"too-many-rows", -1, -1}
	}
	if len(b.Columns) > maxColumns {
		return &Malformed{"too-many-columns", -1, -1}
	}
	for index := range b.Columns {
		if reason, row := b.Columns[index].check(int(b.Rows)); reason != "" {
			return &Malformed{reason, index, row}
		}
	}
	return nil
}

func (c *Column) check(rows int) (string, int) {
	switch {
	case c.Kind > Boolean && c.Kind != mixed:
		return "unknown-kind", -1
	case len(c.Words) != rows*8:
		return "words-length", -1
	case len(c.Tags) != 0 && len(c.Tags) != rows:
		return "tags-length", -1
	case c.Kind == mixed && len(c.Tags) == 0 && rows > 0:
		return "tags-missing", -1
	}
	for row, tag := range c.Tags {
		if Kind(tag) > Boolean {
			return "unknown-tag", row
		}
		if c.Kind != mixed && tag != 0 && Kind(tag) != c.Kind {
			return "tag-mismatch", row
		}
	}
	if c.Kind != mixed && c.Kind != Text && c.Kind != Blob && len(c.Heap) != 0 {
		return "heap-unused", -1
	}
	wrongText := -1
	if c.Kind == Text {
		wrongText = firstInvalid(c.Heap)
	}
	total := 0
	for row := 0; row < rows; row++ {
		word := c.word(row)
		switch c.kindAt(row) {
		case Null:
			if word != 0 {
				return "null-word", row
			}
		case Boolean:
			if word > 1 {
				return "boolean-word", row
			}
		case Text, Blob:
			start, length := int(uint32(word)), int(word>>32)
			if start+length > len(c.Heap) {
				return "heap-range", row
			}
			if c.Kind == Text && wrongText < 0 && (c.cuts(start) || c.cuts(start+length)) {
				return "utf8", row
			}
			if total += length; total > len(c.Heap) {
				return "heap-shared", row
			}
			if c.Kind == mixed && c.kindAt(row) == Text && !utf8.Valid(c.Heap[start:start+length]) {
				return "utf8", row
			}
		}
	}
	if wrongText >= 0 {
		for row := 0; row < rows; row++ {
			start, length := int(uint32(c.word(row))), int(c.word(row)>>32)
			if start <= wrongText && wrongText < start+length {
				return "utf8", row
			}
		}
		return "utf8", -1
	}
	return "", -1
}

// firstInvalid returns where a text stops being UTF-8, or -1.
func firstInvalid(heap []byte) int {
	if utf8.Valid(heap) {
		return -1
	}
	at := 0
	for {
		character, size := utf8.DecodeRune(heap[at:])
		if character == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}

// cuts tells whether a place in the heap is inside a character.
func (c *Column) cuts(at int) bool {
	return at < len(c.Heap) && !utf8.RuneStart(c.Heap[at])
}

func (c *Column) word(row int) uint64 { return binary.LittleEndian.Uint64(c.Words[row*8:]) }

func (c *Column) kindAt(row int) Kind {
	if len(c.Tags) != 0 {
		return Kind(c.Tags[row])
	}
	return c.Kind
}

// Cell returns one cell of a checked batch: nil, bool, int64, float64, string or []byte.
func (c *Column) Cell(row int) any {
	word := c.word(row)
	switch c.kindAt(row) {
	case Integer:
		return int64(word)
	case Real:
		return math.Float64frombits(word)
	case Text:
		return string(c.bytes(word))
	case Blob:
		return c.bytes(word)
	case Boolean:
		return word == 1
	}
	return nil
}

func (c *Column) bytes(word uint64) []byte {
	start := uint64(uint32(word))
	end := start + word>>32
	return c.Heap[start:end:end]
}

// Builder makes batches cell by cell.
type Builder struct {
	columns []Column
	bytes   int
}

// NewBuilder starts a batch with this many columns.
func NewBuilder(columns int) *Builder { return &Builder{columns: make([]Column, columns)} }

// Rows counts the cells of the last column.
func (b *Builder) Rows() int {
	if len(b.columns) == 0 {
		return 0
	}
	return len(b.columns[len(b.columns)-1].Words) / 8
}

// Push appends a cell to a column: nil, a bool, an integer, a float, a string or a []byte, or a pointer to one of
// these, nil for NULL.
func (b *Builder) Push(column int, value any) error {
	switch value := value.(type) {
	case nil:
		b.columns[column].push(Null, 0)
	case bool:
		b.PushBool(column, value)
	case int:
		b.PushInt64(column, int64(value))
	case int64:
		b.PushInt64(column, value)
	case int32:
		b.PushInt64(column, int64(value))
	case uint32:
		b.PushInt64(column, int64(value))
	case float64:
		b.columns[column].push(Real, math.Float64bits(value))
	case string:
		return b.pushBytes(column, Text, value)
	case []byte:
		return b.pushBytes(column, Blob, string(value))
	case *string:
		return b.PushText(column, value)
	case *int64:
		if value == nil {
			b.columns[column].push(Null, 0)
		} else {
			b.PushInt64(column, *value)
		}
	case *float64:
		if value == nil {
			b.columns[column].push(Null, 0)
		} else {
			return b.Push(column, *value)
		}
	case *bool:
		if value == nil {
			b.columns[column].push(Null, 0)
		} else {
			b.PushBool(column, *value)
		}
	default:
		return fmt.Errorf("a value of type %T cannot be a parameter", value)
	}
	return nil
}

// PushInt64 appends an integer.
func (b *Builder) PushInt64(column int, value int64) { b.columns[column].push(Integer, uint64(value)) }

// PushBool appends a boolean.
func (b *Builder) PushBool(column int, value bool) {
	word := uint64(0)
	if value {
		word = 1
	}
	b.columns[column].push(Boolean, word)
}

// PushText appends a text, or NULL.
func (b *Builder) PushText(column int, value *string) error {
	if value == nil {
		b.columns[column].push(Null, 0)
		return nil
	}
	return b.pushBytes(column, Text, *value)
}

func (b *Builder) pushBytes(column int, kind Kind, value string) error {
	if kind == Text && !utf8.ValidString(value) {
		return fmt.Errorf("a text that is not UTF-8 cannot be a parameter")
	}
	c := &b.columns[column]
	offset := uint64(len(c.Heap))
	if offset+uint64(len(value)) > math.MaxUint32 {
		return fmt.Errorf("column %d of the batch is full", column)
	}
	c.Heap = append(c.Heap, value...)
	b.bytes += len(value)
	c.push(kind, offset|uint64(len(value))<<32)
	return nil
}

func (c *Column) push(kind Kind, word uint64) {
	rows := len(c.Words) / 8
	c.Words = binary.LittleEndian.AppendUint64(c.Words, word)
	if kind == c.Kind && len(c.Tags) == 0 {
		return
	}
	if len(c.Tags) == 0 {
		for range rows {
			c.Tags = append(c.Tags, byte(c.Kind))
		}
	}
	if kind != Null && kind != c.Kind {
		if c.Kind == Null {
			c.Kind = kind
		} else {
			c.Kind = mixed
		}
	}
	if rows > 0 {
		c.Tags = append(c.Tags, byte(kind))
	}
}

// Finish returns the batch; the builder starts anew.
func (b *Builder) Finish() (Batch, error) {
	rows := b.Rows()
	for index := range b.columns {
		if len(b.columns[index].Words) != rows*8 {
			return Batch{}, fmt.Errorf("the columns of the batch have different numbers of cells")
		}
	}
	batch := Batch{uint32(rows), b.columns}
	b.columns = make([]Column, len(batch.Columns))
	b.bytes = 0
	return batch, nil
}
