// What html-validate holds the web pages to: all it recommends.
module.exports = {
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    // HTML takes it in either case.
    "doctype-style": "off",
  },
};
