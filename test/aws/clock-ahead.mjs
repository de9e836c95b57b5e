// Loaded before a function: its clock is `CLOCK_AHEAD` milliseconds ahead.
const { now } = Date;
Date.now = () => now() + Number(process.env.CLOCK_AHEAD);
