package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
)

func (p *program) collectCommand() *cobra.Command {
	return &cobra.Command{
		Use: "collect", Short: "Collect without a console, until ended", Args: cobra.NoArgs,
		RunE: p.do(func(ctx context.Context, _ []string) error {
			c, err := p.load()
			if err != nil {
				return err
			}
			if err := needLive(); err != nil {
				return err
			}
			e, err := p.startEngine(ctx, c, forService)
			if err != nil {
				return err
			}
			return errors.Join(e.run(ctx, c), e.close())
		}),
	}
}
