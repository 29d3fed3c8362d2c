module tabtune.example/ollama

go 1.24
