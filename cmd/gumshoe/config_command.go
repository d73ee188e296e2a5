package main

import (
	"context"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

func (p *program) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Check and show the configuration", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "check [FILE]", Short: "Check a configuration file", Args: cobra.MaximumNArgs(1),
			RunE: p.do(func(_ context.Context, args []string) error { return p.checkConfig(args) }),
		},
		&cobra.Command{
			Use: "show", Short: "Print the configuration in force", Args: cobra.NoArgs,
			RunE: p.do(func(context.Context, []string) error {
				c, err := p.load()
				if err != nil {
					return err
				}
				text, err := yaml.Marshal(c)
				if err != nil {
					return fmt.Errorf("print the configuration: %w", err)
				}
				_, err = p.stdout.Write(text)
				return err
			}),
		},
		&cobra.Command{
			Use: "default", Short: "Print the documented defaults", Args: cobra.NoArgs,
			RunE: p.do(func(context.Context, []string) error {
				_, err := p.stdout.Write(defaultConfig)
				return err
			}),
		},
	)
	return cmd
}

// checkConfig says every problem of a file, one line each.
func (p *program) checkConfig(args []string) error {
	file := cmpOr(p.configFile, configPath)
	if len(args) == 1 {
		file = args[0]
	}
	text, err := readBounded(file, maxConfig)
	if err != nil {
		return usage("read the configuration: %w", err)
	}
	_, err = parseConfig(file, text)
	if err == nil {
		_, err = fmt.Fprintln(p.stdout, file+": ok")
		return err
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return &exit{exitUsage, err}
	}
	for _, one := range many.Unwrap() {
		p.fail(&exit{exitUsage, one})
	}
	return nil
}
