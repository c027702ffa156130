import type { Day, Month } from './calendar.js';
import { civilDate } from './calendar.js';

/** Where a day lies in its block. */
export interface DayPlace {
  readonly month: Month;
  /** From 0. */
  readonly index: number;
}

/** Most changes concern the same day as the one before. */
export class DayPlaces {
  private day: Day | undefined;
  private place: DayPlace = { month: 0, index: 0 };

  of(day: Day): DayPlace {
    if (day !== this.day) {
      const { year, month, dayOfMonth } = civilDate(day);
      this.day = day;
      this.place = { month: year * 12 + month - 1, index: dayOfMonth - 1 };
    }
    return this.place;
  }
}
