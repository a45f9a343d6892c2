/* Runs before the first paint: the theme that was chosen in this browser, and its time zone. Classic and tiny, because it blocks. */
(() => {
  try { // times of pages are those of this browser's zone (lessons/desk/zones.py)
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone) document.cookie = `slipway_zone=${zone};path=/;max-age=31536000;samesite=lax`;
  } catch (error) {
    /* a browser that does not tell: the site's zone */
    void error;
  }
  try {
    const theme = localStorage.getItem('slipway:theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch (error) {
    /* a browser without storage follows the system */
    void error;
  }
})();
