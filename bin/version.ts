import manifest from '../package.json' with { type: 'json' };

/** Of the product, as `/health` and `--version` tell it. */
export const version = manifest.version;
