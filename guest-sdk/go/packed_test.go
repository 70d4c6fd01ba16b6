package whimbrel

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"
)

type vectorBatch struct {
	Rows    uint32
	Columns []struct {
		Kind              Kind
		Tags, Words, Heap string
	}
}

type vectors struct {
	Valid []struct {
		Name      string
		Canonical bool
		Batch     vectorBatch
		Rows      [][]map[string]any
	}
	Malformed []struct {
		Name   string
		Batch  vectorBatch
		Reason string
		Column *int
		Row    *int
	}
}

func readVectors(t *testing.T) vectors {
	text, err := os.ReadFile("../wit/packed-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all vectors
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Valid) < 10 || len(all.Malformed) < 20 {
		t.Fatal("the vectors are not all there")
	}
	return all
}

func (v vectorBatch) batch() *Batch {
	batch := &Batch{Rows: v.Rows}
	unhex := func(text string) []byte { raw, _ := hex.DecodeString(text); return raw }
	for _, column := range v.Columns {
		batch.Columns = append(batch.Columns, Column{column.Kind, unhex(column.Tags), unhex(column.Words), unhex(column.Heap)})
	}
	return batch
}

func shown(cell any) (string, any) {
	switch cell := cell.(type) {
	case bool:
		return "boolean", cell
	case int64:
		return "integer", strconv.FormatInt(cell, 10)
	case float64:
		text := strconv.FormatUint(math.Float64bits(cell), 16)
		for len(text) < 16 {
			text = "0" + text
		}
		return "real", text
	case string:
		return "text", cell
	case []byte:
		return "blob", hex.EncodeToString(cell)
	}
	return "null", true
}

func TestReadsAndWritesEveryValidVector(t *testing.T) {
	for _, vector := range readVectors(t).Valid {
		batch := vector.Batch.batch()
		if err := batch.Check(); err != nil {
			t.Fatalf("%s: %v", vector.Name, err)
		}
		builder := NewBuilder(len(batch.Columns))
		for row, cells := range vector.Rows {
			for column, expected := range cells {
				cell := batch.Columns[column].Cell(row)
				kind, value := shown(cell)
				if expected[kind] != value {
					t.Errorf("%s, row %d: %v is not %v", vector.Name, row, value, expected)
				}
				if err := builder.Push(column, cell); err != nil {
					t.Fatal(err)
				}
			}
		}
		written, err := builder.Finish()
		if err != nil {
			t.Fatal(err)
		}
		for column := range written.Columns {
			w, b := written.Columns[column], batch.Columns[column]
			same := w.Kind == b.Kind && bytes.Equal(w.Tags, b.Tags) && bytes.Equal(w.Words, b.Words) && bytes.Equal(w.Heap, b.Heap)
			if vector.Canonical && !same {
				t.Errorf("%s: column %d is written as %v, not %v", vector.Name, column, w, b)
			}
		}
	}
}

func TestRefusesEveryMalformedVectorWithItsReason(t *testing.T) {
	for _, vector := range readVectors(t).Malformed {
		err, _ := vector.Batch.batch().Check().(*Malformed)
		where := func(at *int) int {
			if at == nil {
				return -1
			}
			return *at
		}
		if err == nil || err.Reason != vector.Reason || err.Column != where(vector.Column) || err.Row != where(vector.Row) {
			t.Errorf("%s: found %v", vector.Name, err)
		}
	}
}

func TestReadsRowsByName(t *testing.T) {
	read := func(row Row, out *Out, ctx *Context) error {
		id, err := row.Int64("ID")
		if err != nil {
			return err
		}
		if !row.IsNull("nothing") {
			t.Error("not null")
		}
		if _, err := row.Text("nothing"); err == nil || err.Error() != "column nothing: expected a text, found NULL" {
			t.Error(err)
		}
		if _, err := row.Text("nobody"); err == nil || err.Error() != "the query has no column nobody, only id, nothing" {
			t.Error(err)
		}
		return out.Set("nothing", id+1)
	}
	rows, err := TransformRows(read, []string{"id", "nothing"}, []string{"id", "nothing"}, nil, []any{int64(math.MaxInt64 - 1), nil})
	if err != nil || rows[0][0] != int64(math.MaxInt64-1) || rows[0][1] != int64(math.MaxInt64) {
		t.Error(rows, err)
	}
}
