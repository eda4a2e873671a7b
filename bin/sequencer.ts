#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { acceptRollbackCommand } from './commands/accept-rollback.command.ts';
import { capacityCommand } from './commands/capacity.command.ts';
import { checkHistoryCommand } from './commands/check-history.command.ts';
import { clusterCommand } from './commands/cluster.command.ts';
import { deadLettersCommand } from './commands/dead-letters.command.ts';
import { doctorCommand } from './commands/doctor.command.ts';
import { eraseTenantCommand } from './commands/erase-tenant.command.ts';
import { exitCodes } from './commands/exit-codes.ts';
import { exportCommand } from './commands/export.command.ts';
import { fsckCommand } from './commands/fsck.command.ts';
import { keysCommand } from './commands/keys.command.ts';
import { projectionsCommand } from './commands/projections.command.ts';
import { reencryptCommand } from './commands/reencrypt.command.ts';
import { verifyCommand } from './commands/verify.command.ts';

const help = `
From the clone, run it as "npx --no sequencer": npx picks the Node that the project brings.

Examples:
  npx --no sequencer help check-history
  npx --no sequencer check-history run.jsonl
  npx --no sequencer verify bundle.json`;

const program = new Command('sequencer')
  .description("Tools around the StateSet Sequencer, which puts each store's events in one order")
  .version(manifest.version)
  .addHelpText('after', help)
  .showHelpAfterError('(see "npx --no sequencer help")')
  .addCommand(exportCommand())
  .addCommand(keysCommand())
  .addCommand(verifyCommand())
  .addCommand(fsckCommand())
  .addCommand(reencryptCommand())
  .addCommand(eraseTenantCommand())
  .addCommand(acceptRollbackCommand())
  .addCommand(projectionsCommand())
  .addCommand(deadLettersCommand())
  .addCommand(checkHistoryCommand())
  .addCommand(clusterCommand())
  .addCommand(capacityCommand())
  .addCommand(doctorCommand());

throwOnUsageError(program);
process.stdout.on('error', endQuietlyOnClosedPipe);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.unusable; // Commander has said why.
}

/** Commander would end the process with code 1, which here means that something was checked and found wrong. */
function throwOnUsageError(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) throwOnUsageError(subcommand);
}

/** `sequencer … | head` is no reason for a stack trace. */
function endQuietlyOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}
