interface Store {
  readonly tenantId: string;
  readonly storeId: string;
}

export function randomUuid(): string;
export function orderPayload(): object;
export function ingestBody(request: Store & { readonly agentId: string; readonly events: number }): string;
export function commitmentBody(range: Store & { readonly start: number; readonly end: number }): string;
export function query(parameters: Store & Readonly<Record<string, string | number>>): string;
