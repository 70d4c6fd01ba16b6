package whimbrel

import (
	"fmt"
	"strings"
)

// Transform makes the columns that the manifest writes of a row. An error rejects this row. Nothing may be kept from
// one row to the next.
type Transform func(row Row, out *Out, ctx *Context) error

// Failure says why a batch was not transformed; Row is -1 when it is no single one.
type Failure struct {
	Row     int
	Message string
}

// Out is what becomes of a row.
type Out struct {
	write   *columns
	read    *columns
	builder *Builder
	into    bool
	set     []bool
	any     bool
	rows    int
	index   int
}

// Set sets one column of the row, by its name in the manifest's `write`. A column that is not set keeps its value if it
// is also read; in a row that goes into another table it is NULL.
func (o *Out) Set(name string, value any) error {
	at, err := o.write.find(name)
	if err != nil {
		return fmt.Errorf("the manifest does not write %s, only %s", name, strings.Join(o.write.names, ", "))
	}
	if o.set[at] || o.rows > 0 {
		return fmt.Errorf("the transform set %s twice", name)
	}
	o.set[at] = true
	o.any = true
	return o.builder.Push(at+o.shift(), value)
}

// Row gives a whole row, in the order of `write`: in place exactly one, into another table as many as there are.
func (o *Out) Row(values ...any) error {
	if len(values) != len(o.write.names) {
		return fmt.Errorf("the transform gave a row of %d cells, and %d are written", len(values), len(o.write.names))
	}
	if o.any || (o.rows > 0 && !o.into) {
		return fmt.Errorf("the transform gave more than one row for a row that is updated in place")
	}
	if o.into {
		o.builder.PushInt64(0, int64(o.index))
	}
	for at, value := range values {
		if err := o.builder.Push(at+o.shift(), value); err != nil {
			return err
		}
	}
	o.rows++
	return nil
}

func (o *Out) shift() int {
	if o.into {
		return 1
	}
	return 0
}

func (o *Out) end(row Row) error {
	if o.any || (o.rows == 0 && !o.into) {
		if o.into {
			o.builder.PushInt64(0, int64(o.index))
		}
		for at, set := range o.set {
			o.set[at] = false
			if set {
				continue
			}
			if o.into {
				o.builder.columns[at+1].push(Null, 0)
				continue
			}
			read, err := o.read.find(o.write.names[at])
			if err != nil {
				return fmt.Errorf("the transform did not set %s; to keep its value, it has to be read too", o.write.names[at])
			}
			if err := o.builder.Push(at, row.batch.Columns[read].Cell(row.index)); err != nil {
				return err
			}
		}
	}
	o.any, o.rows, o.index = false, 0, row.index+1
	return nil
}

// Apply runs a transform over a batch as the host does; the context's parameters name the columns.
func Apply(function Transform, input *Batch, ctx *Context) (Batch, *Failure) {
	if err := input.Check(); err != nil {
		return Batch{}, &Failure{-1, err.Error()}
	}
	read, write := newColumns(ctx.all("whimbrel.read")), newColumns(ctx.all("whimbrel.write"))
	into := len(ctx.all("whimbrel.into")) > 0
	out := &Out{write: write, read: read, into: into, set: make([]bool, len(write.names))}
	out.builder = NewBuilder(len(write.names) + out.shift())
	if len(read.names) != len(input.Columns) {
		return Batch{}, &Failure{-1, "the batch has other columns than the manifest reads"}
	}
	for index := range int(input.Rows) {
		row := Row{read, input, index}
		err := function(row, out, ctx)
		if err == nil {
			err = out.end(row)
		}
		if err != nil {
			return Batch{}, &Failure{index, err.Error()}
		}
	}
	batch, err := out.builder.Finish()
	if err != nil {
		return Batch{}, &Failure{-1, err.Error()}
	}
	return batch, nil
}

// TransformRows runs a transform over rows, for tests: the names of the columns read and written, the rows in, and the
// rows that come out.
func TransformRows(function Transform, read, write []string, params map[string]string, rows ...[]any) ([][]any, error) {
	ctx := NewContext(params)
	for _, name := range read {
		ctx.params = append(ctx.params, [2]string{"whimbrel.read", name})
	}
	for _, name := range write {
		ctx.params = append(ctx.params, [2]string{"whimbrel.write", name})
	}
	builder := NewBuilder(len(read))
	for _, row := range rows {
		for column, value := range row {
			if err := builder.Push(column, value); err != nil {
				return nil, err
			}
		}
	}
	input, err := builder.Finish()
	if err != nil {
		return nil, err
	}
	batch, failure := Apply(function, &input, ctx)
	if failure != nil {
		return nil, fmt.Errorf("row %d: %s", failure.Row, failure.Message)
	}
	var all [][]any
	for row := range int(batch.Rows) {
		var cells []any
		for column := range batch.Columns {
			cells = append(cells, batch.Columns[column].Cell(row))
		}
		all = append(all, cells)
	}
	return all, nil
}
