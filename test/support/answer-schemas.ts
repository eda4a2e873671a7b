import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { errorSchemas } from '../../services/gateway/openapi/answers.ts';
import type { JsonSchema } from '../../services/gateway/openapi/shape.ts';

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addFormat('uint64', true);

/** What is wrong with a value by a schema of the OpenAPI document; null when nothing is. */
export function faultOf(value: unknown, schema: JsonSchema): string | null {
  const isValid = ajv.validate({ ...schema, components: { schemas: errorSchemas } }, value);
  return isValid ? null : ajv.errorsText();
}
