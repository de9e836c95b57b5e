// Keeps the writes on the given groups: the same task as bench/select.ts, with valyala/fastjson and a reused parser.
package main

import (
	"bufio"
	"os"
	"strings"

	"github.com/valyala/fastjson"
)

func main() {
	in, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	out, err := os.Create(os.Args[2])
	if err != nil {
		panic(err)
	}
	groups := map[string]bool{}
	for _, group := range strings.Split(os.Args[3], ",") {
		groups[group] = true
	}
	verbs := map[string]bool{"create": true, "update": true, "patch": true, "delete": true, "deletecollection": true}
	writer := bufio.NewWriterSize(out, 1<<20)
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 1<<20), 16<<20)
	var parser fastjson.Parser
	for scanner.Scan() {
		event, err := parser.ParseBytes(scanner.Bytes())
		if err != nil {
			panic(err)
		}
		if verbs[string(event.GetStringBytes("verb"))] && groups[string(event.GetStringBytes("objectRef", "apiGroup"))] {
			writer.Write(scanner.Bytes())
			writer.WriteByte('\n')
		}
	}
	if err := scanner.Err(); err != nil {
		panic(err)
	}
	if err := writer.Flush(); err != nil {
		panic(err)
	}
}
