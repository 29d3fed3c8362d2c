// What Ollama makes of Modelfiles: a list of {"modelfile", "conversations"} from standard input, and for each, on standard output,
// {"error"} or its commands, and each conversation as its template writes it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

type Case struct {
	Modelfile     string      `json:"modelfile"`
	Conversations [][]Message `json:"conversations"`
}

type Result struct {
	Error    string    `json:"error,omitempty"`
	Commands []Command `json:"commands"`
	Written  []string  `json:"written"`
}

// The kinds of parameters that the app writes (api/types.go, Options and Runner, read by FormatParams).
var parameters = map[string]func(string) error{
	"num_ctx":        whole,
	"top_k":          whole,
	"temperature":    float,
	"top_p":          float,
	"min_p":          float,
	"repeat_penalty": float,
	"stop":           func(string) error { return nil },
}

func whole(s string) error { _, err := strconv.ParseInt(s, 10, 64); return err }
func float(s string) error { _, err := strconv.ParseFloat(s, 32); return err }

func run(c Case) (result Result) {
	file, err := ParseFile(strings.NewReader(c.Modelfile))
	if err != nil {
		return Result{Error: err.Error()}
	}
	result.Commands = file.Commands
	var source, system string
	for _, command := range file.Commands {
		switch command.Name {
		case "template":
			source = command.Args
		case "system":
			system = command.Args
		case "model", "adapter", "license":
		default:
			check, known := parameters[command.Name]
			if !known {
				return Result{Error: fmt.Sprintf("unknown parameter %q", command.Name)}
			}
			if err := check(command.Args); err != nil {
				return Result{Error: err.Error()}
			}
		}
	}
	if source == "" {
		return result
	}
	template, err := Parse(source)
	if err != nil {
		return Result{Error: err.Error()}
	}
	for _, conversation := range c.Conversations {
		messages := append([]Message{}, conversation...)
		// As server/routes.go does for conversations without a system message.
		if system != "" && (len(messages) == 0 || messages[0].Role != "system") {
			messages = append([]Message{{Role: "system", Content: system}}, messages...)
		}
		var written strings.Builder
		if err := template.Execute(&written, Values{Messages: messages}); err != nil {
			return Result{Error: err.Error()}
		}
		result.Written = append(result.Written, written.String())
	}
	return result
}

func main() {
	var cases []Case
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	results := make([]Result, len(cases))
	for i, c := range cases {
		results[i] = run(c)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		panic(err)
	}
}
