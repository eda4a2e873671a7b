import type { Dashboard, Panel } from './definitions.ts';

const width = 12;
const height = 8;

/** A dashboard in the form that Grafana 10 and later load, two panels a row, as text. */
export function grafanaJson({ uid, title, panels }: Dashboard): string {
  const body = {
    uid,
    title,
    tags: ['sequencer'],
    schemaVersion: 39,
    editable: false,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: {} },
      ],
    },
    panels: panels.map(panelJson),
  };
  return `${JSON.stringify(body, null, 2)}\n`;
}

function panelJson({ title, says, unit, lines }: Panel, index: number): object {
  const datasource = { type: 'prometheus', uid: '${datasource}' };
  return {
    id: index + 1,
    type: 'timeseries',
    title,
    description: says,
    datasource,
    gridPos: { x: (index % 2) * width, y: Math.floor(index / 2) * height, w: width, h: height },
    fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 8, lineWidth: 1 } }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: lines.map(([legendFormat, expr], line) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + line),
      datasource,
      expr,
      legendFormat,
    })),
  };
}
