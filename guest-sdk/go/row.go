package whimbrel

import (
	"fmt"
	"math"
	"strings"
)

// Row is one row of a checked batch. Its cells are read by the column's name.
type Row struct {
	columns *columns
	batch   *Batch
	index   int
}

// columns knows the names of a batch's columns.
type columns struct {
	names []string
	index map[string]int
}

func newColumns(names []string) *columns {
	index := make(map[string]int, len(names))
	for at := len(names) - 1; at >= 0; at-- {
		index[names[at]] = at
	}
	return &columns{names, index}
}

func (c *columns) find(name string) (int, error) {
	if at, found := c.index[name]; found {
		return at, nil
	}
	for at, other := range c.names {
		if strings.EqualFold(name, other) {
			return at, nil
		}
	}
	return 0, fmt.Errorf("the query has no column %s, only %s", name, strings.Join(c.names, ", "))
}

// Columns returns the names of the columns.
func (r Row) Columns() []string { return r.columns.names }

// cell finds a cell and checks its kind; the word means nothing when the cell is NULL.
func (r Row) cell(name string, expected string, kinds ...Kind) (*Column, uint64, Kind, error) {
	at, err := r.columns.find(name)
	if err != nil {
		return nil, 0, 0, err
	}
	column := &r.batch.Columns[at]
	found := column.kindAt(r.index)
	for _, kind := range kinds {
		if kind == found {
			return column, column.word(r.index), found, nil
		}
	}
	return nil, 0, found, fmt.Errorf("column %s: expected %s, found %s", name, expected, describe(found))
}

func describe(kind Kind) string {
	return [...]string{"NULL", "an integer", "a real number", "a text", "a blob", "a boolean"}[kind]
}

// Get reads a cell of any kind: nil, bool, int64, float64, string or []byte.
func (r Row) Get(name string) (any, error) {
	at, err := r.columns.find(name)
	if err != nil {
		return nil, err
	}
	return r.batch.Columns[at].Cell(r.index), nil
}

// IsNull tells whether a cell is NULL; a column that is not there is NULL too, for its getter to complain about.
func (r Row) IsNull(name string) bool {
	at, err := r.columns.find(name)
	return err != nil || r.batch.Columns[at].kindAt(r.index) == Null
}

// Int64 reads an integer.
func (r Row) Int64(name string) (int64, error) {
	_, word, _, err := r.cell(name, "an integer", Integer)
	return int64(word), err
}

// Float64 reads a number.
func (r Row) Float64(name string) (float64, error) {
	_, word, kind, err := r.cell(name, "a number", Real, Integer)
	if kind == Integer {
		return float64(int64(word)), err
	}
	return math.Float64frombits(word), err
}

// Bool reads a boolean, or an integer that is 0 or 1.
func (r Row) Bool(name string) (bool, error) {
	_, word, _, err := r.cell(name, "a boolean", Boolean, Integer)
	if err == nil && word > 1 {
		err = fmt.Errorf("column %s: expected a boolean, found the integer %d", name, int64(word))
	}
	return word == 1, err
}

// Text reads a text.
func (r Row) Text(name string) (string, error) {
	column, word, _, err := r.cell(name, "a text", Text)
	if err != nil {
		return "", err
	}
	return string(column.bytes(word)), nil
}

// NullText reads a text, nil for NULL.
func (r Row) NullText(name string) (*string, error) {
	column, word, kind, err := r.cell(name, "a text", Text, Null)
	if err != nil || kind == Null {
		return nil, err
	}
	text := string(column.bytes(word))
	return &text, nil
}

// NullInt64 reads an integer, nil for NULL.
func (r Row) NullInt64(name string) (*int64, error) {
	_, word, kind, err := r.cell(name, "an integer", Integer, Null)
	if err != nil || kind == Null {
		return nil, err
	}
	value := int64(word)
	return &value, nil
}

// Bytes reads a blob; it stays valid.
func (r Row) Bytes(name string) ([]byte, error) {
	column, word, _, err := r.cell(name, "a blob", Blob)
	if err != nil {
		return nil, err
	}
	return column.bytes(word), nil
}

// Scan copies the cells in order into pointers: *int64, *float64, *bool, *string, *[]byte, *any, or pointers to
// pointers of these where NULL can be.
func (r Row) Scan(targets ...any) error {
	if len(targets) != len(r.columns.names) {
		return fmt.Errorf("the row has %d columns, and %d targets are given", len(r.columns.names), len(targets))
	}
	for at, target := range targets {
		value := r.batch.Columns[at].Cell(r.index)
		if !assign(target, value) {
			return fmt.Errorf("column %s: %s does not fit a %T", r.columns.names[at],
				describe(r.batch.Columns[at].kindAt(r.index)), target)
		}
	}
	return nil
}

func assign(target any, value any) bool {
	switch target := target.(type) {
	case *any:
		*target = value
		return true
	case *int64:
		return set(target, value)
	case *string:
		return set(target, value)
	case *[]byte:
		return set(target, value)
	case *bool:
		if number, ok := value.(int64); ok && (number == 0 || number == 1) {
			value = number == 1
		}
		return set(target, value)
	case *float64:
		if number, ok := value.(int64); ok {
			value = float64(number)
		}
		return set(target, value)
	case **int64:
		return setPointer(target, value)
	case **string:
		return setPointer(target, value)
	case **float64:
		return setPointer(target, value)
	case **bool:
		return setPointer(target, value)
	}
	return false
}

func set[T any](target *T, value any) bool {
	typed, ok := value.(T)
	*target = typed
	return ok
}

func setPointer[T any](target **T, value any) bool {
	if value == nil {
		*target = nil
		return true
	}
	*target = new(T)
	return assign(*target, value)
}
