// What html-validate holds the HTML of letters and notices to: all it recommends, less what mail programs need.
module.exports = {
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    // Outlook lays out by attributes (width, align, cellpadding, bgcolor), not by CSS.
    "no-deprecated-attr": "off",
    // Outlook gets the tables that it needs in conditional comments.
    "no-conditional-comment": "off",
    // Gmail and others drop the style sheet of a letter that is forwarded; what has to stay is inline.
    "no-inline-style": "off",
    // mrml (and the reference) write <br /> and <!doctype html>; both are HTML.
    "void-style": "off",
    "doctype-style": "off",
    // A table of one row says <tr>; every parser puts the <tbody> around it.
    "prefer-tbody": "off",
    // mrml (and the reference) write <div role="article">: mail programs that drop elements of HTML5 keep a div.
    "prefer-native-element": "off",
    // The title is the subject, whose length the composer and the linter look after.
    "long-title": "off",
  },
};
