// Package bpf loads and attaches the programs that watch the kernel, after
// looking at what this kernel has. It reads no events: collector/kernel does.
package bpf

//go:generate go tool bpf2go -cc clang-14 -cflags "-O2 -g -Wall -Werror -mcpu=v2" -no-global-types -target amd64,arm64 sensor sensor.c -- -I headers -I /usr/include
