import { definitions, type SettingName } from './definitions.ts';
import { parseNatsUrl } from './nats-url.ts';
import type { Rule } from './rule.ts';

const credentialNames = ['natsUser', 'natsPassword', 'natsToken', 'natsCreds'] as const;
const tlsNames = ['natsTlsCa', 'natsTlsCert', 'natsTlsKey'] as const;

/** What must hold between the settings that lead to NATS. */
export const natsRules: readonly Rule[] = [
  {
    reads: ['natsUrl', ...credentialNames, ...tlsNames],
    says: 'The other settings of NATS go with a `NATS_URL`, whose servers have one scheme and the same credentials.',
    problem(values) {
      if (values.natsUrl !== null) {
        const parsed = parseNatsUrl(values.natsUrl);
        return typeof parsed === 'string' ? parsed : null;
      }
      const orphan = [...credentialNames, ...tlsNames].find((name) => values[name] !== null);
      return orphan === undefined
        ? null
        : `${definitions[orphan].env} is set and NATS_URL is not; it takes NATS_URL as well, which says where the servers are`;
    },
  },
  pair('natsUser', 'natsPassword'),
  pair('natsTlsCert', 'natsTlsKey'),
  {
    reads: ['natsUrl', 'natsUser', 'natsToken', 'natsCreds'],
    says: 'Who the node is to NATS is said in one way: in `NATS_URL`, by `NATS_USER`, by `NATS_TOKEN` or by `NATS_CREDS`.',
    problem({ natsUrl, natsUser, natsToken, natsCreds }) {
      const parsed = natsUrl === null ? '' : parseNatsUrl(natsUrl);
      if (typeof parsed === 'string') return null;
      const ways = [
        ...(parsed.user !== null || parsed.token !== null ? ['NATS_URL'] : []),
        ...(natsUser !== null ? ['NATS_USER'] : []),
        ...(natsToken !== null ? ['NATS_TOKEN'] : []),
        ...(natsCreds !== null ? ['NATS_CREDS'] : []),
      ];
      return ways.length > 1
        ? `${ways.join(' and ')} both say who the node is to NATS; one of them is taken, without the others`
        : null;
    },
  },
  {
    reads: ['natsUrl', ...credentialNames, ...tlsNames],
    says: 'In production the way to NATS has TLS (`tls://`, or a `NATS_TLS_…` setting) and credentials (any of the ways above, or `NATS_TLS_CERT`).',
    problem(values, production) {
      const parsed = values.natsUrl === null ? '' : parseNatsUrl(values.natsUrl);
      if (!production || typeof parsed === 'string') return null;
      const isEncrypted = parsed.tls || tlsNames.some((name) => values[name] !== null);
      const hasCredentials =
        parsed.user !== null ||
        parsed.token !== null ||
        [...credentialNames, 'natsTlsCert' as const].some((name) => values[name] !== null);
      return isEncrypted && hasCredentials
        ? null
        : 'NATS_URL carries no credentials or asks for no TLS; production takes tls://user:password@host:port or tls://token@host:port (or NATS_USER, NATS_TOKEN, NATS_CREDS or NATS_TLS_CERT), since whoever reaches NATS can append';
    },
  },
];

/** Two settings of which none is of use without the other. */
function pair(one: SettingName, other: SettingName): Rule {
  const [oneEnv, otherEnv] = [definitions[one].env, definitions[other].env];
  return {
    reads: [one, other],
    says: `\`${oneEnv}\` and \`${otherEnv}\` are set together.`,
    problem(values) {
      if ((values[one] === null) === (values[other] === null)) return null;
      const [given, missing] = values[one] === null ? [otherEnv, oneEnv] : [oneEnv, otherEnv];
      return `${given} is set and ${missing} is not; it takes both or none`;
    },
  };
}
