package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// benchmark times the execution of templates: cases with names are read as JSON lines, and for each
// its name, the nanoseconds of one execution and the length of the output are printed.
func benchmark() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<26)
	for in.Scan() {
		var named struct{ Name string }
		must(json.Unmarshal(in.Bytes(), &named))
		var c templateCase
		must(json.Unmarshal(in.Bytes(), &c))
		root, err := c.parse()
		must(err)
		data := value(c.Data).Interface()
		var out bytes.Buffer
		runs := 0
		start := time.Now()
		for time.Since(start) < 300*time.Millisecond {
			for range 16 {
				out.Reset()
				must(root.Execute(&out, data))
			}
			runs += 16
		}
		fmt.Println(named.Name, time.Since(start).Nanoseconds()/int64(runs), out.Len())
	}
	must(in.Err())
}
