[Appearance]
Font={{ cfg.mono_font }},{{ cfg.font_size }}

[General]
Name=Fleet

[Scrolling]
HistorySize=50000
