import fc from 'fast-check';
import { Admission, type Reservation } from '../../services/gateway/admission.ts';

describe('admission', () => {
  test('refuses what passes the bound, and nothing else', () => {
    const admission = new Admission(10);
    const first = admission.open();
    first.chargeTo('a');
    first.grow(6);
    const second = admission.open();
    second.chargeTo('b');
    expect(() => second.grow(5)).toThrow(expect.objectContaining({ code: 'BYTES_IN_FLIGHT_EXCEEDED' }));
    second.grow(4);
    expect(admission.bytesInFlight).toBe(10);
  });

  test('gets everything back once, and nothing grows afterwards', () => {
    const admission = new Admission(10);
    const reservation = admission.open();
    reservation.grow(6);
    reservation.release();
    reservation.release();
    reservation.grow(3);
    expect(admission.bytesInFlight).toBe(0);
  });

  test('leaves room for others, however much one tenant asks for', () => {
    const admission = new Admission(100);
    const open = (tenantId: string) => {
      const reservation = admission.open();
      reservation.chargeTo(tenantId);
      return reservation;
    };
    const fill = (tenantId: string): number => {
      let bytes = 0;
      try {
        for (; ; bytes += 1) open(tenantId).grow(1);
      } catch (error) {
        expect(error).toMatchObject({ code: 'BYTES_IN_FLIGHT_EXCEEDED' });
        return bytes;
      }
    };
    expect(fill('greedy')).toBe(80);
    expect(fill('other')).toBe(16);
    const last = open('last');
    last.grow(4);
    expect(() => open('greedy').grow(1)).toThrow();
  });

  test('takes one request of any size that fits from a tenant that holds nothing', () => {
    const admission = new Admission(100);
    const whole = admission.open();
    whole.chargeTo('a');
    whole.grow(60);
    whole.grow(40);
    expect(admission.bytesInFlight).toBe(100);
  });

  test('always counts exactly what is held', () => {
    const step = fc.record({
      who: fc.nat(4),
      what: fc.oneof(fc.constant<'release'>('release'), fc.nat(60)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const admission = new Admission(100);
        const held = new Map<number, { reservation: Reservation; bytes: number }>();
        for (const { who, what } of steps) {
          const holder = held.get(who) ?? { reservation: admission.open(), bytes: 0 };
          holder.reservation.chargeTo(String(who));
          held.set(who, holder);
          if (what === 'release') {
            holder.reservation.release();
            held.delete(who);
          } else {
            const total = [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0);
            const fits = total + what <= 100;
            if (fits) {
              holder.reservation.grow(what);
              holder.bytes += what;
            } else expect(() => holder.reservation.grow(what)).toThrow();
          }
          const total = [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0);
          expect(admission.bytesInFlight).toBe(total);
        }
      }),
    );
  });
});
