import { createServer } from 'node:net';

import { StartProblem } from './start-problem.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Looks whether the node will be able to listen there, before it starts a database for nothing.
 * @throws StartProblem when it won't
 */
export async function checkListen(address: Address): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address.port, address.host, resolve);
    });
    await new Promise((resolve) => server.close(resolve));
  } catch (error) {
    throw listenProblem(error, address) ?? error;
  }
}

/** Why the node can't listen on its address, or null when the error says something else. */
export function listenProblem(error: unknown, { host, port }: Address): StartProblem | null {
  switch ((error as NodeJS.ErrnoException | null)?.code) {
    case 'EADDRINUSE':
      return new StartProblem(
        `Port ${port} of ${host} is taken by another program: stop that, or set PORT to another port, such as PORT=${port === 65_535 ? port - 1 : port + 1} (0 takes any free one).`,
        { cause: error },
      );
    case 'EACCES':
      return new StartProblem(`This user may not listen on port ${port}: set PORT to one above 1023.`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartProblem(
        `${host} is no address of this machine: set HOST to 127.0.0.1, to 0.0.0.0 (every address), or to one that it has.`,
        { cause: error },
      );
    default:
      return null;
  }
}
