// Package wire is the generated code of engine.proto, the messages between an
// engine and its consoles. Package socket alone knows them.
package wire

//go:generate sh generate.sh
